"""The measurement counts deliveries by the clocks it reads; these tests hold that reading against pycrdt's own."""

from pycrdt import Doc, Text, merge_updates

from benchmarks.collaboration.updates import (
    ROOT,
    big_document,
    clocks_reached,
    length_of_text,
    typed_chain,
    written_text,
)
from benchmarks.collaboration.wire import Reader


def payload(frame: bytes) -> bytes:
    reader = Reader(frame)
    assert (reader.var_uint(), reader.var_uint()) == (0, 2)
    return reader.var_bytes()


def test_the_kth_frame_of_a_chain_ends_at_clock_k_plus_one() -> None:
    for clock, frame in enumerate(typed_chain(7, 300).frames):
        assert clocks_reached(payload(frame)) == [(7, clock + 1)]


def test_merged_updates_of_several_typists_show_how_far_each_has_come() -> None:
    updates = [payload(frame) for client in (7, 100_000) for frame in typed_chain(client, 140).frames]
    assert sorted(clocks_reached(merge_updates(*updates))) == [(7, 140), (100_000, 140)]


def test_a_document_that_applied_a_chain_encodes_the_same_clocks() -> None:
    document: Doc[Text] = Doc()
    for frame in typed_chain(7, 200).frames:
        document.apply_update(payload(frame))
    assert clocks_reached(document.get_update()) == [(7, 200)]
    assert len(str(document.get(ROOT, type=Text))) == 200


def test_a_text_written_at_once_takes_one_clock_a_letter() -> None:
    assert clocks_reached(payload(written_text("hello"))) == [(1, 5)]


def test_the_big_document_has_the_size_asked_for_in_frames_that_a_client_may_send() -> None:
    document = big_document(500_000)
    merged = merge_updates(*(payload(frame) for frame in document.frames))
    assert 480_000 < len(merged) < 520_000
    assert max(map(len, document.frames)) < 256 * 1024
    assert length_of_text(merged) == document.letters
