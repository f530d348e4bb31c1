"""A million words in one string: each is found, and nothing that is not there."""

import bisect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.modules.marketplace.adapters.catalog.vocabulary import Vocabulary
from opencode.modules.marketplace.domain.spelling import one_letter_away

words = st.lists(st.text(min_size=1, max_size=6), unique=True, max_size=80).map(sorted)


@given(words, st.text(min_size=1, max_size=3))
def test_words_and_beginnings_are_found_as_in_a_sorted_list(known: list[str], asked: str) -> None:
    vocabulary = Vocabulary.of(known)
    assert list(vocabulary) == known
    assert len(vocabulary) == len(known)
    for number, word in enumerate(known):
        assert vocabulary.find(word) == number
    assert vocabulary.find(asked) == (known.index(asked) if asked in known else -1)
    begun = [number for number, word in enumerate(known) if word.startswith(asked)]
    first, behind = vocabulary.beginning(asked)
    assert list(range(first, behind)) == begun
    if not begun:
        assert first == bisect.bisect_left([word.encode() for word in known], asked.encode())


@given(words, st.text("abé0+", min_size=2, max_size=7), st.data())
def test_whatever_is_known_one_letter_away_is_found_and_nothing_further_away(
    known: list[str], typed: str, data: st.DataObject
) -> None:
    all_near = set(one_letter_away(typed)) - {typed}
    some = data.draw(st.lists(st.sampled_from(sorted(all_near)), max_size=9))
    vocabulary = Vocabulary.of(sorted({*known, *some}))
    found = vocabulary.near(typed, is_open=False)
    assert all_near & set(vocabulary) <= found <= all_near
    begun = vocabulary.near(typed, is_open=True)
    assert {each for each in all_near if any(word.startswith(each) for word in vocabulary)} <= begun <= all_near


def test_what_is_asked_again_is_answered_the_same_also_when_much_was_asked_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("opencode.modules.marketplace.adapters.catalog.vocabulary._MOST_LOOKED_UP", 3)
    monkeypatch.setattr("opencode.modules.marketplace.adapters.catalog.vocabulary._MOST_NEIGHBOURS", 2)
    vocabulary = Vocabulary.of(["art", "cart", "part", "start", "zoo"])
    asked = ["art", "cart", "nothing", "zoo", "", "art", "parts", "start", "art"]
    assert [vocabulary.find(word) for word in asked] == [0, 1, -1, 4, -1, 0, -1, 3, 0]
    begun = [vocabulary.beginning(word) for word in ("", "a", "zz", "s", "a", "")]
    assert begun == [(0, 5), (0, 1), (5, 5), (3, 4), (0, 1), (0, 5)]
    near = [vocabulary.near(word, is_open=False) for word in ("art", "art", "zo", "parts", "art")]
    assert near == [{"cart", "part"}, {"cart", "part"}, {"zoo"}, {"part"}, {"cart", "part"}]
