"""The summary after an interview: a model drafts it, a person corrects it, and accepts or discards it."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from opencode.contracts.ai import Answered, Turn
from opencode.infra.plugs import Parts
from opencode.kernel.ids import SummaryId, UserId, new_id
from opencode.kernel.pages import PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.interviews.domain.interview import Interview
from opencode.modules.interviews.domain.material import MOST_RUNS, SYSTEM, Record, material_of
from opencode.modules.interviews.domain.records import Audience, EventType
from opencode.modules.interviews.domain.summary import (
    DISCARDED,
    MAX_SUMMARY,
    MOST_OUTPUT_TOKENS,
    RESTARTED,
    TOO_LONG,
    Read,
    Summary,
)
from opencode.modules.interviews.domain.words import clean_message
from opencode.modules.interviews.errors import AssistantModelNotKnown, SummariesOff, SummaryNotFound
from opencode.modules.interviews.policy import Action, Standing
from opencode.modules.interviews.service.base import Neighbours, UseCases, person
from opencode.modules.interviews.service.control import Control
from opencode.modules.interviews.service.finishing import give_up_draft, news_of_summary, save_drafted
from opencode.modules.interviews.service.replying import Replies
from opencode.modules.interviews.settings import InterviewsSettings
from opencode.modules.interviews.store import InterviewsWork, News, Stores


@dataclass(frozen=True, slots=True)
class SummaryPlace:
    """The summary as one reader finds it. `models` are those that they may have it drafted by."""

    summary: Summary | None
    may_change: bool
    models: list[str]


class AskedSummary:
    """`replying.Asked` for a summary."""

    most = MAX_SUMMARY
    too_long = TOO_LONG

    def __init__(self, summary: Summary) -> None:
        self.id = summary.id
        self.interview_id = summary.interview_id
        self._summary = summary

    def piece(self, text: str) -> News:
        adds: dict[str, object] = {"summary_id": self.id, "text": text}
        return News(EventType.SUMMARY_WRITTEN, adds, about=self.id, audience=Audience.INTERVIEWERS)

    async def is_open(self, stores: Stores) -> bool:
        return await stores.summaries.is_open(self._summary.id)

    async def answered(self, work: InterviewsWork, text: str, end: Answered, at: datetime, *before: News) -> None:
        await save_drafted(work, self._summary.drafted_by(text, end, at), *before)

    async def failed(self, work: InterviewsWork, text: str, failure: str, at: datetime, *before: News) -> None:
        await save_drafted(work, self._summary.failed(text, failure, at), *before)


class Summarising(UseCases):
    def __init__(self, parts: Parts, settings: InterviewsSettings, neighbours: Neighbours, control: Control) -> None:
        super().__init__(parts, settings, neighbours)
        self._control = control
        self.replies = Replies(parts)

    async def place(self, interview_id: str, by: Principal) -> SummaryPlace:
        """What was accepted is read also where no model can be asked any more."""
        async with self.reading() as stores:
            case = await self.case(stores, interview_id, by, Action.SEE_SUMMARY)
            summary = await stores.summaries.find(case.interview.id)
        may_change = case.standing is Standing.OWNER and case.interview.is_over
        return SummaryPlace(summary, may_change, await self._models(case.interview) if may_change else [])

    async def draft(self, interview_id: str, by: Principal, *, model: str = "", replaces: str | None = None) -> Summary:
        """
        Have a draft written, without waiting for what the model says: the event stream tells. While there is a draft
        already, whoever asked for it, that one is what everybody gets.

        Args:
            model: a model or alias of the interviewer; empty for the interview's own, or else the first.
            replaces: the draft that a new one takes the place of, with what was changed in it. When it is another
                one by now, that stays.

        Raises:
            SummariesOff, SummaryAccepted, AssistantModelNotKnown, TooFast, InterviewNotOver
        """
        async with self.reading() as stores:
            interview = (await self.case(stores, interview_id, by, Action.SUMMARISE)).interview
            if (there := await stores.summaries.find(interview.id)) and _stays(there, replaces):
                return there
        chosen = _chosen(await self._models(interview), model, interview.assistant.model)
        await self.brake("draft summaries", by, self.settings.summaries_per_minute)
        mark = f"=== {secrets.token_hex(8)}"
        material = await self._material(interview, mark)
        async with self.changing(interview_id, by, Action.SUMMARISE) as (work, case):
            there = await work.stores.summaries.find(case.interview.id)
            if there and _stays(there, replaces):
                return there
            follows = await work.stores.records.last_seq(case.interview.id)
            summary = self._new(case.interview, by, chosen, follows)
            await work.stores.summaries.put(summary)
            await work.say(summary.interview_id, summary.requested_at, _requested(summary))
        self._reply(case.interview, summary, SYSTEM.format(mark=mark), material)
        return summary

    async def change(self, interview_id: str, by: Principal, text: str, read: Read) -> Summary:
        """
        Args:
            read: the text that was changed.

        Raises:
            TextRefused, SummaryNotFound, SummaryNotReady, SummaryAccepted
            SummaryMoved: somebody else changed it since.
        """
        text = clean_message(text, "/text", longest=MAX_SUMMARY)
        async with self.changing(interview_id, by, Action.SUMMARISE) as (work, case):
            summary = await _find(work.stores, case.interview)
            changed = summary.changed(text, read, self.clock.now())
            if changed != summary:
                await work.stores.summaries.put(changed)
        return changed

    async def accept(self, interview_id: str, by: Principal, read: Read) -> Summary:
        """
        Make it part of the interview's record: as a person's words from now on, beside what the model had written.
        Doing it twice is the same as once.

        Args:
            read: the text that is accepted.

        Raises:
            SummaryNotFound, SummaryNotReady
            SummaryMoved: somebody else changed it since.
        """
        async with self.changing(interview_id, by, Action.SUMMARISE) as (work, case):
            summary = await _find(work.stores, case.interview)
            name = case.me.name if case.me else by.name
            accepted = summary.accepted(by.id, name, read, self.clock.now())
            if accepted == summary:
                return summary
            await work.stores.summaries.put(accepted)
            news = news_of_summary(EventType.SUMMARY_ACCEPTED, accepted)
            await work.say(accepted.interview_id, self.clock.now(), news)
        await self.identity.record("interview.summary_accepted", actor=by, subject_id=accepted.interview_id)
        return accepted

    async def discard(self, interview_id: str, by: Principal, summary_id: str | None = None) -> None:
        """
        Drop the draft, whole or not; one that is being written is broken off. Without one nothing happens.

        Args:
            summary_id: when it is another one by now, that stays.

        Raises:
            SummaryAccepted
        """
        async with self.changing(interview_id, by, Action.SUMMARISE) as (work, case):
            summary = await work.stores.summaries.find(case.interview.id)
            if summary is None or summary_id not in (None, summary.id):
                return
            summary.require_not_accepted()
            await work.stores.summaries.remove(case.interview.id)
            adds: dict[str, object] = {"summary_id": summary.id, "by": person(by)}
            news = News(EventType.SUMMARY_DISCARDED, adds, about=summary.id, audience=Audience.INTERVIEWERS)
            await work.say(summary.interview_id, self.clock.now(), news)
        if summary.is_open:
            await self._control.stop_answer(summary.id, DISCARDED)

    async def give_up_lost(self, *, starting: bool = False) -> None:
        """
        End drafts whose server is gone.

        Args:
            starting: see `silent_since`.
        """
        async with self.reading() as stores:
            lost = await stores.summaries.lost(self.silent_since(starting=starting))
        for summary in lost:
            if summary.id not in self.replies.ids:
                async with self.unit_of_work() as work:
                    await give_up_draft(work, summary, RESTARTED, self.clock.now())

    async def keep_alive(self) -> None:
        """Tell the other servers that the drafts of this one are not lost."""
        if waiting := [SummaryId(summary_id) for summary_id in self.replies.ids]:
            async with self.unit_of_work() as work:
                await work.stores.summaries.still_written(waiting, self.clock.now())

    async def close(self) -> None:
        """The server goes down."""
        await self.replies.close(RESTARTED)

    async def _models(self, interview: Interview) -> "list[str]":
        if not self.settings.interview_summaries:
            return []
        return await self.assistants.available(UserId(interview.interviewer_id))

    async def _material(self, interview: Interview, mark: str) -> str:
        async with self.reading() as stores:
            people = await stores.people.all(interview.id)
            runs = await stores.runs.page(interview.id, PageRequest(limit=MOST_RUNS))
            messages = await stores.records.all_messages(interview.id)
            signals = await stores.records.all_signals(interview.id)
            questions = await stores.questions.moments(interview.id)
        texts = await self.documents.texts(interview.document_id)
        code = {name: text.content for name, text in texts.items()}
        record = Record(interview, people, code, runs.items, messages, signals, questions)
        return material_of(record, most_tokens=self.settings.summary_input_tokens, mark=mark)

    def _new(self, interview: Interview, by: Principal, model: str, follows_seq: int) -> Summary:
        now = self.clock.now()
        return Summary(
            id=SummaryId(new_id("sum")),
            interview_id=interview.id,
            follows_seq=follows_seq,
            model=model,
            requested_by_id=by.id,
            requested_by_name=by.name,
            requested_at=now,
            alive_at=now,
        )

    def _reply(self, interview: Interview, summary: Summary, system: str, material: str) -> None:
        pieces = self.assistants.answer(
            on_behalf_of=UserId(interview.interviewer_id),
            model=summary.model,
            system=system,
            turns=[Turn("person", material)],
            most_output_tokens=MOST_OUTPUT_TOKENS,
        )
        self.replies.start(AskedSummary(summary), pieces)


def _requested(summary: Summary) -> News:
    return news_of_summary(EventType.SUMMARY_REQUESTED, summary)


def _stays(there: Summary, replaces: str | None) -> bool:
    there.require_not_accepted()
    return there.is_open or there.id != replaces


def _chosen(models: list[str], wanted: str, own: str) -> str:
    """
    Args:
        own: the model that the interview's assistant has or had.

    Raises:
        SummariesOff, AssistantModelNotKnown
    """
    if not models:
        raise SummariesOff
    if wanted and wanted not in models:
        raise AssistantModelNotKnown(wanted, models, "/model")
    return wanted or (own if own in models else models[0])


async def _find(stores: Stores, interview: Interview) -> Summary:
    if (summary := await stores.summaries.find(interview.id)) is None:
        raise SummaryNotFound
    return summary
