"""The interview: its states, its code, its time, its languages."""

import difflib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from opencode.contracts.execution import Language
from opencode.kernel.ids import DocumentId, InterviewId
from opencode.modules.interviews.domain.assistant import FORBIDDEN, AssistantTerms
from opencode.modules.interviews.errors import InterviewOver, LanguageNotKnown, StillLive

CODE_DIGITS = 6
MAX_TITLE = 200


class InterviewState(StrEnum):
    SCHEDULED = "scheduled"
    LIVE = "live"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Interview:
    """
    One interview.

    Attributes:
        code: the six digits that it had from the start; the export keeps them when nobody can join with them any more.
        open_code: the same while people can join with it, else None; unique among all interviews.
        interviewer_name: as it was when the interview was made.
        languages: those that have a buffer, in the order in which they got it.
        ends_at: when a live interview ends by itself.
    """

    id: InterviewId
    code: str
    open_code: str | None
    code_expires_at: datetime
    title: str
    state: InterviewState
    language: str
    languages: tuple[str, ...]
    frozen: bool
    document_id: DocumentId
    duration_minutes: int
    interviewer_id: str
    interviewer_name: str
    created_at: datetime
    started_at: datetime | None = None
    ends_at: datetime | None = None
    ended_at: datetime | None = None
    assistant: AssistantTerms = FORBIDDEN

    @property
    def is_over(self) -> bool:
        return self.state is InterviewState.ENDED

    def joinable_code(self, now: datetime) -> str | None:
        """The code while people can join with it."""
        return self.open_code if now < self.code_expires_at else None

    def start(self, at: datetime) -> "Interview":
        """
        Go live; the clock runs from here. An interview that is live already stays as it is.

        Raises:
            InterviewOver: it has ended.
        """
        if self.is_over:
            raise InterviewOver(self.id, "start it")
        if self.state is InterviewState.LIVE:
            return self
        ends_at = at + timedelta(minutes=self.duration_minutes)
        return replace(self, state=InterviewState.LIVE, started_at=at, ends_at=ends_at)

    def end(self, at: datetime) -> "Interview":
        """End it and free its code. One that has ended already stays as it is."""
        if self.is_over:
            return self
        return replace(self, state=InterviewState.ENDED, ended_at=at, open_code=None)

    def is_overdue(self, now: datetime) -> bool:
        """Is its time up?"""
        return self.state is InterviewState.LIVE and self.ends_at is not None and now >= self.ends_at

    def speak(self, language: str) -> "Interview":
        """Switch to a language, which has a buffer from then on."""
        known = self.languages if language in self.languages else (*self.languages, language)
        return replace(self, language=language, languages=known)

    def require_deletable(self) -> None:
        """
        Raises:
            StillLive: people are in it.
        """
        if self.state is InterviewState.LIVE:
            raise StillLive(self.id)


def new_code() -> str:
    """Six digits, each of the million equally likely."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"


def find_language(asked: str, languages: Sequence[Language]) -> Language:
    """
    The language of that id or alias.

    Raises:
        LanguageNotKnown: there is none; the error names the nearest.
    """
    wanted = asked.strip().lower()
    for language in languages:
        if wanted == language.id or wanted in language.aliases:
            return language
    words = {
        word: language.id for language in languages for word in (language.id, language.name.lower(), *language.aliases)
    }
    near = difflib.get_close_matches(wanted, words, n=3, cutoff=0.5)
    raise LanguageNotKnown(asked[:40], tuple(dict.fromkeys(words[word] for word in near)))
