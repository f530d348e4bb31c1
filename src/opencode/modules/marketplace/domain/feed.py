"""Feeds: what is new, for programs that look again and again (Atom, RFC 4287)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.domain.views import Card

FEED_ENTRIES = 50
TAG_AUTHORITY = "opencode.invalid,2026"
"""
Names things of ours in tag URIs (RFC 4151). It is the same on every server, since the ids of projects are of their own:
an entry stays the same entry when its server moves to another address.
"""
_NOTHING_YET = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Feed:
    """
    A feed.

    Attributes:
        address: where it is, absolute; it is what names the feed.
        page: the page that shows the same, absolute.
        server: where all paths begin, without a slash at the end.
    """

    title: str
    address: str
    page: str
    server: str
    cards: Sequence[Card]

    @property
    def updated(self) -> datetime:
        """When anything in it was changed last."""
        return max((card.updated_at for card in self.cards), default=_NOTHING_YET)


def name_of_entry(project_id: ProjectId) -> str:
    return f"tag:{TAG_AUTHORITY}:{project_id}"
