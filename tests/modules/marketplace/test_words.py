"""What a word is: the same for what is indexed and for what is asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.modules.marketplace.domain.words import LONGEST_WORD, fold, joined, words_of, words_of_name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Fast, small: JSON!", ["fast", "small", "json"]),
        ("C++ and C# and F#", ["c++", "and", "c#", "and", "f#"]),
        ("naïve Größe ÅNGSTRÖM", ["naive", "grosse", "angstrom"]),
        ("snake_case kebab-case", ["snake", "case", "kebab", "case"]),
        ("検索 エンジン", ["検索", "エンジン"]),
        ("", []),
        (" -_- ", []),
    ],
)
def test_words_are_what_people_would_type(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize("name", ["fast-api", "Fast API", "FAST_API", "fast.api", "FastAPI", "fastApi"])
def test_a_name_is_found_by_its_parts_and_as_one_however_it_is_written(name: str) -> None:
    assert {"fast", "api", "fastapi"} <= set(words_of_name(name))
    assert joined(name) == "fastapi"


def test_humps_are_told_apart_from_shouting() -> None:
    assert {"xml", "http", "request"} <= set(words_of_name("XMLHttpRequest"))
    assert words_of_name("README") == ["readme"]


@given(st.text(max_size=300))
def test_whatever_is_written_words_are_short_folded_and_the_same_again(text: str) -> None:
    for word in [*words_of(text), *words_of_name(text)]:
        assert 0 < len(word) <= LONGEST_WORD + 2
        assert "\0" not in word
        assert fold(word) == word


@given(st.text(max_size=100))
def test_case_does_not_matter(text: str) -> None:
    assert words_of(fold(text)) == words_of(text)
