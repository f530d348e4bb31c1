"""
The chain of hashes over the assistant's record: whoever changes, takes out or adds an entry afterwards is found out.

The hash of an entry is SHA-256 of the entry without `sha256`, as JSON with sorted keys, no spaces, and every character
outside ASCII as it is, in UTF-8. `previous` is the hash of the entry before, empty in the first.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

HASH, PREVIOUS = "sha256", "previous"


def link(entry: Mapping[str, Any], previous: str) -> dict[str, Any]:
    """The entry as it follows another one, whose hash is `previous`."""
    linked = {**entry, PREVIOUS: previous}
    return {**linked, HASH: hash_of(linked)}


def hash_of(entry: Mapping[str, Any]) -> str:
    """64 hexadecimal digits."""
    content = {name: value for name, value in entry.items() if name != HASH}
    written = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()


def first_break(entries: Sequence[Mapping[str, Any]], head: str) -> int | None:
    """
    The place, from 0, of the first entry that is not what was written or where it was; as many as there are entries
    when the last ones are missing; None when the chain holds.

    Args:
        head: the hash of the last entry, as it was kept apart from them.
    """
    previous = ""
    for place, entry in enumerate(entries):
        if entry.get(PREVIOUS) != previous or entry.get(HASH) != hash_of(entry):
            return place
        previous = str(entry[HASH])
    return None if previous == head else len(entries)
