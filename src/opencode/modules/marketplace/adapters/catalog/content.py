"""What an index is made of, between two lives of it: all that cannot be had again in no time."""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from opencode.modules.marketplace.adapters.catalog.neighbours import Filter
from opencode.modules.marketplace.adapters.catalog.segment import Segment
from opencode.modules.marketplace.adapters.catalog.vocabulary import NUMBERS, Vocabulary

Array = npt.NDArray[Any]

_STARTS = np.dtype(np.uint32)  # as `vocabulary.NUMBERS`


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """
    Attributes:
        count: the numbers below this one are in it.
        columns: by name, of `count` each.
        labels: facet and value of each, by number.
        orders: for each steady order the numbers as they are sorted, and from which number on they are not.
    """

    count: int
    columns: dict[str, Array]
    segments: tuple[Segment, ...]
    labels: list[tuple[str, str]]
    orders: dict[str, tuple[Array, int]]


def arrays_of(segment: Segment) -> dict[str, Array]:
    """A segment as arrays, none of which is copied."""
    words = segment.words
    return {
        "starts": segment.starts,
        "places": segment.places,
        "impacts": segment.impacts,
        "label_starts": segment.label_starts,
        "labels": segment.labels,
        "word_starts": np.frombuffer(words.starts, dtype=_STARTS),
        "letters": np.frombuffer(words.letters, dtype=np.uint8),
        "known": words.known.bits,
        "begun": words.begun.bits,
    }


_KINDS = {
    "starts": np.int64,
    "places": np.uint32,
    "impacts": np.uint8,
    "label_starts": np.int64,
    "labels": np.uint32,
    "word_starts": np.uint32,
    "letters": np.uint8,
    "known": np.uint8,
    "begun": np.uint8,
}


def segment_of(base: int, count: int, arrays: Mapping[str, Array]) -> Segment:
    """
    A segment as `arrays_of` has taken it apart.

    Raises:
        ValueError: they do not fit together.
        KeyError: they are not all there.
    """
    if any(arrays[name].dtype != kind for name, kind in _KINDS.items()):
        raise ValueError("an array is of another kind")
    starts, word_starts = arrays["starts"], arrays["word_starts"]
    fits = (
        len(starts) == len(word_starts)
        and len(arrays["label_starts"]) == count + 1
        and starts[-1] == len(arrays["places"]) == len(arrays["impacts"])
        and word_starts[-1] == len(arrays["letters"])
        and arrays["label_starts"][-1] == len(arrays["labels"])
    )
    if not fits:
        raise ValueError("the arrays of a segment do not fit together")
    begins = array(NUMBERS)
    begins.frombytes(word_starts.view(np.uint8).data)
    words = Vocabulary(begins, arrays["letters"].tobytes(), Filter(arrays["known"]), Filter(arrays["begun"]))
    own = (arrays[name] for name in ("starts", "places", "impacts", "label_starts", "labels"))
    starts, places, impacts, label_starts, labels = own
    return Segment(base, count, words, starts, places, impacts, label_starts, labels)
