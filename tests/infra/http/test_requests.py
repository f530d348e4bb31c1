"""Request bodies: what is wrong with one is told completely and by name."""

from typing import Annotated

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Meta, UnsetType

from opencode.infra.http import Body
from opencode.infra.http.requests import decode_body
from opencode.kernel.errors import Invalid


class Order(Body):
    title: Annotated[str, Meta(max_length=5)]
    count: Annotated[int, Meta(ge=1)] = 1
    note: str | UnsetType = UNSET


class Parcel(Body):
    orders: list[Order]
    gift: Order | None = None


def problems_of(raw: bytes) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        decode_body(raw, Order)
    return {problem.pointer: problem.detail for problem in refused.value.problems}


def test_a_right_body_becomes_its_struct() -> None:
    assert decode_body(b'{"title": "x"}', Order) == Order(title="x")
    assert decode_body(b'{"title": "x", "count": 2, "note": "y"}', Order) == Order(title="x", count=2, note="y")


def test_unknown_missing_and_wrong_fields_are_all_named() -> None:
    problems = problems_of(b'{"count": 0, "note": null, "colour": "red"}')
    assert problems.keys() == {"/title", "/count", "/note", "/colour"}
    assert problems["/title"] == "is required"
    assert "count, note, title" in problems["/colour"]


def test_a_number_is_not_taken_for_text_nor_text_for_a_number() -> None:
    assert problems_of(b'{"title": 1, "count": "2"}').keys() == {"/title", "/count"}


def test_wrong_fields_are_named_however_deep_they_are() -> None:
    raw = b'{"orders": [{"title": "x"}, {"title": 1}, {"tilte": "x"}, 7], "gift": {"title": "much too long"}}'
    with pytest.raises(Invalid) as refused:
        decode_body(raw, Parcel)
    pointers = [problem.pointer for problem in refused.value.problems]
    assert pointers == ["/orders/1/title", "/orders/2/tilte", "/orders/2/title", "/orders/3", "/gift/title"]


@pytest.mark.parametrize("raw", [b'{"orders": {"title": "x"}}', b'{"orders": "x"}', b'{"orders": null}'])
def test_a_list_that_is_none_is_named_itself(raw: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        decode_body(raw, Parcel)
    assert [problem.pointer for problem in refused.value.problems] == ["/orders"]


def test_an_answer_does_not_grow_with_the_number_of_wrong_items() -> None:
    with pytest.raises(Invalid) as refused:
        decode_body(b'{"orders": [' + b"1," * 100_000 + b"1]}", Parcel)
    assert len(refused.value.problems) == 100


@pytest.mark.parametrize("raw", [b"[]", b"null", b"1", b'"x"', b"true"])
def test_a_body_that_is_no_object_is_told_what_it_is(raw: bytes) -> None:
    assert problems_of(raw)[""].startswith("must be a JSON object, not ")


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b'{"title": "\\ud800"}', b"[" * 100_000, b"{'title': 1}"])
def test_what_is_not_json_is_refused_without_a_fault(raw: bytes) -> None:
    with pytest.raises(Invalid, match="not JSON"):
        decode_body(raw, Order)


def test_a_field_is_pointed_at_as_rfc_6901_has_it() -> None:
    assert problems_of(b'{"title": "x", "a/b~c": 1}').keys() == {"/a~1b~0c"}


@given(
    st.binary() | st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists).map(msgspec.json.encode)
)
def test_whatever_is_sent_is_taken_or_refused_but_never_a_fault(raw: bytes) -> None:
    try:
        decode_body(raw, Order)
    except Invalid as refused:
        assert refused.detail
