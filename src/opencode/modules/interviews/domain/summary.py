"""The summary of an interview: a model drafts it, a person corrects it, and the record has it once they accept it."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from opencode.contracts.ai import Answered
from opencode.kernel.ids import InterviewId, SummaryId
from opencode.modules.interviews.domain.words import clean_message
from opencode.modules.interviews.errors import (
    SummaryAccepted,
    SummaryMoved,
    SummaryNotReady,
    TextRefused,
)

MAX_SUMMARY = 20_000
"""Characters, of what the model writes and of what a person makes of it."""
MOST_OUTPUT_TOKENS = 2048

RESTARTED = "The server restarted while the draft was written."
DISCARDED = "The draft was discarded."
TOO_LONG = "The draft became too long, and was broken off."
SAID_NOTHING = "The model wrote nothing."


class SummaryState(StrEnum):
    WRITING = "writing"
    DRAFT = "draft"
    FAILED = "failed"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class Read:
    """Which text somebody has before them: of which draft, and at which of its revisions."""

    summary_id: str
    revision: int


@dataclass(frozen=True, slots=True)
class Summary:
    """
    The one summary that an interview has at a time.

    Attributes:
        follows_seq: events of this draft have greater numbers in the interview's stream.
        model: that was asked; `written_by` is who answered, `<provider>/<model>`.
        alive_at: when the server that waits for the draft was last heard of.
        drafted: all that the model wrote, whole or broken off; empty while it writes.
        text: what it is now; the draft until somebody changes it.
        revision: grows with each change of `text`.
        failure: a sentence for people.
    """

    id: SummaryId
    interview_id: InterviewId
    follows_seq: int
    model: str
    requested_by_id: str
    requested_by_name: str
    requested_at: datetime
    alive_at: datetime
    state: SummaryState = SummaryState.WRITING
    drafted: str = ""
    text: str = ""
    revision: int = 0
    failure: str | None = None
    written_by: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_nano: int | None = None
    finished_at: datetime | None = None
    changed_at: datetime | None = None
    accepted_by_id: str | None = None
    accepted_by_name: str | None = None
    accepted_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.state is SummaryState.WRITING

    def drafted_by(self, text: str, end: Answered, at: datetime) -> "Summary":
        """The model has come to its end. What is cut, empty or too long is no draft that anybody could accept."""
        ended = replace(
            self,
            written_by=end.model,
            input_tokens=end.input_tokens,
            output_tokens=end.output_tokens,
            cost_nano=end.cost_nano,
        )
        if end.cut:
            return ended.failed(text, TOO_LONG, at)
        try:
            clean = clean_message(text, "/text", longest=MAX_SUMMARY)
        except TextRefused:
            return ended.failed(text, SAID_NOTHING, at)
        return replace(ended, state=SummaryState.DRAFT, drafted=clean, text=clean, finished_at=at)

    def failed(self, text: str, failure: str, at: datetime) -> "Summary":
        return replace(self, state=SummaryState.FAILED, drafted=text, failure=failure, finished_at=at)

    def changed(self, text: str, read: Read, at: datetime) -> "Summary":
        """
        Args:
            read: what was changed.

        Raises:
            SummaryAccepted, SummaryNotReady
            SummaryMoved: somebody else has changed it since.
        """
        self._require_draft()
        if read.summary_id == self.id and text == self.text:
            return self
        self._require_read(read)
        return replace(self, text=text, revision=self.revision + 1, changed_at=at)

    def accepted(self, person_id: str, name: str, read: Read, at: datetime) -> "Summary":
        """
        It becomes part of the record. What is accepted already stays with who accepted it.

        Raises:
            SummaryNotReady
            SummaryMoved: it is not the text that this person has read.
        """
        if self.state is SummaryState.ACCEPTED:
            return self
        self._require_draft()
        self._require_read(read)
        return replace(
            self, state=SummaryState.ACCEPTED, accepted_by_id=person_id, accepted_by_name=name, accepted_at=at
        )

    def require_not_accepted(self) -> None:
        """
        Raises:
            SummaryAccepted: it is part of the record.
        """
        if self.state is SummaryState.ACCEPTED:
            raise SummaryAccepted

    def _require_draft(self) -> None:
        self.require_not_accepted()
        if self.state is not SummaryState.DRAFT:
            raise SummaryNotReady(self.state)

    def _require_read(self, read: Read) -> None:
        if read != Read(self.id, self.revision):
            raise SummaryMoved
