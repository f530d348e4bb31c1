"""Records of the log, as bytes."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.kernel.ids import DocumentId
from opencode.modules.collaboration.domain.records import Record, RecordKind, decode_records, encode_records

records = st.builds(
    Record,
    document_id=st.text(max_size=40).map(DocumentId),
    sequence=st.integers(1, 2**53),
    at_ms=st.integers(0, 2**45),
    kind=st.sampled_from(RecordKind),
    author=st.text(max_size=40),
    update=st.binary(max_size=200),
)


@given(st.lists(records, max_size=20))
def test_a_batch_comes_back_as_it_was(batch: list[Record]) -> None:
    assert decode_records(encode_records(batch)) == batch


@given(st.lists(records, min_size=1, max_size=5), st.integers(1, 400))
def test_a_batch_that_was_cut_is_an_error_and_never_a_shorter_batch(batch: list[Record], lacking: int) -> None:
    encoded = encode_records(batch)
    with pytest.raises(msgspec.MsgspecError):
        decode_records(encoded[: max(0, len(encoded) - lacking)])
