"""The people of an interview: their parts, their states, their colours and names."""

import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from opencode.kernel.ids import InterviewId
from opencode.modules.interviews.errors import ParticipantMoved

COLOURS = 8
INTERVIEWER_COLOUR = 0


class Part(StrEnum):
    INTERVIEWER = "interviewer"
    CANDIDATE = "candidate"


class Status(StrEnum):
    WAITING = "waiting"
    ADMITTED = "admitted"
    DECLINED = "declined"
    REMOVED = "removed"
    LEFT = "left"


PRESENT = frozenset({Status.WAITING, Status.ADMITTED})

LEADS_TO: dict[Status, frozenset[Status]] = {
    Status.WAITING: frozenset({Status.ADMITTED, Status.DECLINED, Status.LEFT}),
    Status.ADMITTED: frozenset({Status.REMOVED, Status.LEFT}),
    Status.DECLINED: frozenset(),
    Status.REMOVED: frozenset(),
    Status.LEFT: frozenset(),
}
"""Nobody comes back as the same participant: whoever is gone joins again and waits again."""


@dataclass(frozen=True, slots=True)
class Participant:
    """
    One person in one interview.

    Attributes:
        id: `usr_…` of the interviewer, `par_…` of a candidate; the peer id in the document as well.
        online: has the document open now.
        online_at: when that was last heard of; news that is older is not news.
        dismiss_at: when the candidate's credential is to end; None when there is nothing (more) to end.
    """

    id: str
    interview_id: InterviewId
    name: str
    role: Part
    status: Status
    colour: int
    joined_at: datetime
    admitted_at: datetime | None = None
    online: bool = False
    online_at: datetime | None = None
    dismiss_at: datetime | None = None

    @property
    def is_present(self) -> bool:
        return self.status in PRESENT

    def become(self, status: Status, at: datetime) -> "Participant":
        """
        Take the next step. The step already taken changes nothing, so that a second click is harmless.

        Raises:
            ParticipantMoved: no step leads there from the present status.
        """
        if status is self.status:
            return self
        if status not in LEADS_TO[self.status]:
            raise ParticipantMoved(self.name, self.status, status)
        admitted_at = at if status is Status.ADMITTED else self.admitted_at
        return replace(self, status=status, admitted_at=admitted_at, online=self.online and status in PRESENT)


def colour_for_candidate(present: Iterable[Participant]) -> int:
    """The colour that fewest people have; the interviewer's own is never given away."""
    uses = Counter(person.colour for person in present)
    return min((colour for colour in range(COLOURS) if colour != INTERVIEWER_COLOUR), key=lambda colour: uses[colour])


def distinct_name(name: str, present: Iterable[Participant], *, longest: int) -> str:
    """`Ada` when nobody has it, else `Ada (2)`, `Ada (3)`…: people who look alike cannot be told apart on a list."""
    taken = {_alike(person.name) for person in present}
    if _alike(name) not in taken:
        return name
    number = 2
    while True:
        suffix = f" ({number})"
        candidate = name[: longest - len(suffix)].rstrip() + suffix
        if _alike(candidate) not in taken:
            return candidate
        number += 1


def _alike(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()
