"""A million words in one string: each is found, and nothing that is not there."""

import bisect

from hypothesis import given
from hypothesis import strategies as st

from opencode.modules.marketplace.adapters.catalog.vocabulary import Vocabulary

words = st.lists(st.text(min_size=1, max_size=6), unique=True, max_size=80).map(sorted)


@given(words, st.text(min_size=1, max_size=3))
def test_words_and_beginnings_are_found_as_in_a_sorted_list(known: list[str], asked: str) -> None:
    vocabulary = Vocabulary(known)
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
