"""What somebody means who typed this."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.modules.marketplace.domain import spelling
from opencode.modules.marketplace.domain.ranking import rarity
from opencode.modules.marketplace.domain.understanding import (
    Understanding,
    is_outdated,
    is_worth_again,
    understand,
    understand_again,
)


class Known:
    """A handful of words, each with how many projects have it."""

    def __init__(self, words: Mapping[str, int]) -> None:
        self._words = words

    def frequency(self, word: str, *, is_open: bool = False) -> int:
        if is_open:
            return sum(count for each, count in self._words.items() if each.startswith(word))
        return self._words.get(word, 0)

    def near(self, word: str, *, is_open: bool = False) -> set[str]:
        return set(spelling.one_letter_away(word)) - {word}

    def rarity(self, word: str, *, is_open: bool = False) -> float:
        having = self.frequency(word, is_open=is_open)
        return rarity(max(having, 1000), having)


WORDS = Known(
    {"fastapi": 40, "fast": 200, "api": 300, "server": 500, "kubernetes": 60, "git": 90, "gti": 1, "serve": 30}
)
SERVER_API = Known({"serverapi": 1, "server": 500, "apis": 300})


def words_of_clause(understood: Understanding, at: int = 0) -> set[str]:
    return {alternative.word for alternative in understood.clauses[at] if WORDS.frequency(alternative.word)}


def test_known_words_are_taken_as_they_are() -> None:
    understood = understand("fast server ", WORDS)
    assert (len(understood.clauses), understood.corrected) == (2, None)
    assert words_of_clause(understood, 0) == {"fast"}
    assert words_of_clause(understood, 1) == {"server"}


def test_the_last_word_may_be_unfinished_until_something_follows_it() -> None:
    assert any(alternative.is_open for alternative in understand("serv", WORDS).clauses[0])
    assert not any(alternative.is_open for alternative in understand("server ", WORDS).clauses[0])


def test_two_words_may_be_one() -> None:
    assert "fastapi" in words_of_clause(understand("fast api", WORDS), 0)
    assert "fastapi" in words_of_clause(understand("fast api", WORDS), 1)


@pytest.mark.parametrize("typed", ["kubernets", "kuberntes", "kubernetess", "kubernetas", "kuebrnetes", "ubernetes"])
def test_a_word_that_nobody_has_is_understood_as_one_a_letter_away(typed: str) -> None:
    assert understand(f"{typed} ", WORDS).corrected == "kubernetes"


def test_a_rare_word_may_be_a_mistake_for_a_frequent_one_and_is_kept_too() -> None:
    understood = understand("gti ", WORDS)
    assert words_of_clause(understood) == {"gti", "git"}
    assert understood.corrected is None


def test_what_nobody_can_guess_is_left_as_it_is() -> None:
    understood = understand("zzzzqqqq ", WORDS)
    assert (understood.corrected, is_worth_again(understood, 0)) == (None, True)


def test_when_little_is_found_the_whole_may_be_a_name_with_a_mistake() -> None:
    first = understand("fast-aoi ", WORDS)
    assert [name.word for name in understand_again(first, "fast-aoi ", WORDS).names] == ["fastapi"]


def test_words_that_begin_no_name_may_be_a_name_with_a_mistake_however_much_has_them() -> None:
    assert [name.word for name in understand("fast apo", WORDS).names] == ["fastapi"]
    assert [name.word for name in understand("server apis", SERVER_API).names] == ["serverapi"]


@pytest.mark.parametrize("typed", ["fast api", "fast ap", "fast"])
def test_a_name_that_is_there_or_being_typed_is_held_for_no_mistake(typed: str) -> None:
    assert not understand(typed, Known({"fastapi": 40, "fastapo": 1, "fast": 200, "apo": 9, "fas": 9})).names


def test_when_nothing_is_found_words_that_there_are_may_be_mistakes() -> None:
    first = understand("serve kubernetes ", WORDS)
    assert "server" in words_of_clause(understand_again(first, "serve kubernetes ", WORDS))


def test_numbers_of_rarity_hold_until_there_are_twice_or_half_as_many_projects() -> None:
    assert [is_outdated(100, now) for now in (49, 50, 100, 200, 201)] == [True, False, False, False, True]
    assert is_outdated(0, 1)


@given(st.text(alphabet="abcdefgh1", min_size=2, max_size=12), st.data())
def test_every_single_mistake_is_found_out(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(word) - 1))
    mistakes = {
        word[:at] + word[at + 1 :],
        word[:at] + "z" + word[at:],
        word[:at] + "z" + word[at + 1 :],
        word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :],
    } - {word}
    for mistake in mistakes:
        if len(mistake) >= spelling.SHORTEST:
            assert word in set(spelling.one_letter_away(mistake))
