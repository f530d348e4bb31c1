"""Pages and their cursors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.kernel.errors import Invalid
from opencode.kernel.pages import DEFAULT_LIMIT, MAX_LIMIT, Page, PageRequest, decode_cursor, encode_cursor

KEYS = st.lists(
    st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
    | st.integers(-(2**63), 2**63 - 1)
).map(tuple)


@given(KEYS)
def test_a_cursor_comes_back_as_what_went_in_and_fits_an_address(keys: tuple[str | int, ...]) -> None:
    cursor = encode_cursor(keys)
    assert decode_cursor(cursor) == keys
    assert cursor.replace("-", "").replace("_", "").isalnum() or not cursor


@given(st.text())
def test_garbage_is_refused_or_happens_to_be_a_cursor(text: str) -> None:
    try:
        keys = decode_cursor(text)
    except Invalid as refused:
        assert [problem.pointer for problem in refused.problems] == ["/cursor"]
    else:
        assert decode_cursor(encode_cursor(keys)) == keys


@pytest.mark.parametrize("keys", [("a\0b",), (2**63,), (-(2**63) - 1,)])
def test_a_cursor_that_no_column_could_hold_is_refused(keys: tuple[str | int, ...]) -> None:
    with pytest.raises(Invalid):
        decode_cursor(encode_cursor(keys))


def test_a_cursor_of_another_list_is_refused() -> None:
    request = PageRequest.parse(None, encode_cursor((5, "int_1")))
    assert request.position(int, str) == (5, "int_1")
    for kinds in ((str, int), (int,), (int, str, str)):
        with pytest.raises(Invalid):
            request.position(*kinds)
    assert PageRequest().position(int, str) is None


@pytest.mark.parametrize("limit", [1, 50, MAX_LIMIT])
def test_a_page_has_1_to_200_items(limit: int) -> None:
    assert PageRequest.parse(limit, None).limit == limit


@pytest.mark.parametrize("limit", [0, -1, MAX_LIMIT + 1, 10**30])
def test_another_size_of_page_is_refused(limit: int) -> None:
    with pytest.raises(Invalid) as refused:
        PageRequest.parse(limit, None)
    assert [problem.pointer for problem in refused.value.problems] == ["/limit"]


def test_without_a_wish_a_page_has_50_items() -> None:
    assert PageRequest.parse(None, None) == PageRequest(DEFAULT_LIMIT, None)
    assert PageRequest.parse(None, "") == PageRequest(50, None)


@given(st.lists(st.integers(0, 1000), unique=True).map(sorted), st.integers(1, 7))
def test_walking_the_pages_shows_every_item_once_and_in_order(numbers: list[int], limit: int) -> None:
    def page_after(cursor: str | None) -> Page[int]:
        request = PageRequest.parse(limit, cursor)
        position = request.position(int)
        rows = [number for number in numbers if position is None or number > position[0]]
        return Page.cut(rows[: limit + 1], limit, lambda number: (number,))

    seen: list[int] = []
    page = page_after(None)
    seen += page.items
    while page.next_cursor is not None:
        page = page_after(page.next_cursor)
        seen += page.items
    assert seen == numbers
