"""The short way of reading frames says what the long one says, and what the library says."""

from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from opencode.infra.websocket.frames import binary_frame, payload_of, read_keystroke, read_short_messages


def client_frame(opcode: Opcode, payload: bytes, fin: bool) -> bytes:
    return Frame(opcode, payload, fin=fin).serialize(mask=True)


payloads = st.binary(min_size=1, max_size=200)
frames = st.builds(
    client_frame,
    st.sampled_from([Opcode.BINARY, Opcode.TEXT, Opcode.CONT]),
    payloads,
    st.booleans(),
)


@given(st.one_of(frames, st.binary(max_size=140), st.tuples(frames, frames).map(b"".join)))
def test_a_read_that_is_one_keystroke_says_the_same_the_short_way_and_the_long_way(data: bytes) -> None:
    messages, taken = read_short_messages(data, 10)
    whole = messages[0] if len(messages) == 1 and taken == len(data) else None
    assert read_keystroke(data) == whole


@given(st.binary(min_size=1, max_size=125))
def test_a_keystroke_comes_out_as_the_client_put_it_in(payload: bytes) -> None:
    assert read_keystroke(Frame(Opcode.BINARY, payload).serialize(mask=True)) == payload


@given(st.binary(max_size=70_000))
def test_a_frame_of_ours_is_the_one_that_the_library_makes(payload: bytes) -> None:
    frame = binary_frame(payload)
    assert frame == Frame(Opcode.BINARY, payload).serialize(mask=False)
    assert payload_of(frame) == payload
