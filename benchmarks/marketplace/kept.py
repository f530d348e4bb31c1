"""A data folder that is kept once it is filled, so that the next run need not import the same catalogue again."""

import hashlib
import json
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path

from benchmarks.marketplace.catalogue import SEED
from opencode.modules.marketplace.domain.catalog import Listing

_FILLED = "filled.json"
_PASSWORD = "administrator"  # the name of a file


class Kept:
    """
    The folder of one catalogue below one that somebody names; catalogues of other sizes, seeds or words lie beside it.

    It is filled when it says so, which it does last of all: what broke off before is begun anew.
    """

    def __init__(self, below: Path, listings: Sequence[Listing]) -> None:
        self.folder = below.absolute() / f"{len(listings)}-{SEED}-{_print(listings)}"

    @property
    def is_filled(self) -> bool:
        return (self.folder / _FILLED).exists()

    @property
    def password(self) -> str:
        """Of the administrator whom the server made when it was filled."""
        return (self.folder / _PASSWORD).read_text()

    def begin(self) -> None:
        """An empty folder to fill."""
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True, mode=0o700)
        (self.folder / _PASSWORD).write_text(secrets.token_urlsafe(16))

    def finish(self, filled_s: float) -> None:
        (self.folder / _FILLED).write_text(json.dumps({"filled_s": filled_s}) + "\n")


def _print(listings: Sequence[Listing]) -> str:
    """Of what there is to find: apt's lists on another machine, or of another day, make another catalogue."""
    digest = hashlib.blake2b(digest_size=6)
    for each in listings:
        digest.update(f"{each.owner}/{each.title}: {each.summary}\n".encode())
    return digest.hexdigest()
