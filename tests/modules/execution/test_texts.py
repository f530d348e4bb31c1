"""Bytes that programs print: text where they are text, and no byte is lost."""

import base64

from hypothesis import given
from hypothesis import strategies as st

from opencode.modules.execution.domain.texts import split_whole, text_of


@given(st.binary())
def test_nothing_is_lost_on_the_way_to_text(data: bytes) -> None:
    text, encoded = text_of(data)
    assert data == (text.encode() if encoded is None else base64.b64decode(encoded))


@given(st.text(), st.data())
def test_text_that_is_cut_anywhere_comes_in_whole_characters(text: str, data: st.DataObject) -> None:
    raw, told, half = text.encode(), "", b""
    while raw:
        size = data.draw(st.integers(1, len(raw)))
        whole, half = split_whole(half + raw[:size])
        told += whole.decode()
        raw = raw[size:]
    assert (told, half) == (text, b"")


@given(st.binary(max_size=8))
def test_what_waits_for_its_other_half_is_the_beginning_of_a_character(data: bytes) -> None:
    whole, half = split_whole(data)
    assert whole + half == data
    assert len(half) <= 3
    assert not half or half[0] >= 0xC2
