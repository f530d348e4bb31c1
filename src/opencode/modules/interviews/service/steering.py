"""What is done to the whole interview: start, end, rename, switch language, freeze; and the end of its time."""

from asyncio import Lock
from dataclasses import dataclass, replace
from datetime import timedelta
from weakref import WeakValueDictionary

from opencode.contracts.collaboration import CloseReason, PeerRole
from opencode.contracts.execution import Language, Verdict
from opencode.contracts.interviews import InterviewEnded
from opencode.infra.observability import metrics
from opencode.infra.plugs import Parts
from opencode.kernel.principal import SYSTEM, Principal
from opencode.modules.interviews import policy
from opencode.modules.interviews.domain.assistant import FORBIDDEN_MEANWHILE, AssistantMode, AssistantTerms, Question
from opencode.modules.interviews.domain.assistant import INTERVIEW_ENDED as INTERVIEW_ENDED_ANSWER
from opencode.modules.interviews.domain.interview import MAX_TITLE, Interview, InterviewState
from opencode.modules.interviews.domain.records import EventType
from opencode.modules.interviews.domain.run import INTERVIEW_ENDED, Run
from opencode.modules.interviews.domain.views import AssistantView
from opencode.modules.interviews.domain.words import clean_line
from opencode.modules.interviews.errors import EditingFrozen
from opencode.modules.interviews.policy import Action, Standing
from opencode.modules.interviews.service.allowing import checked_terms
from opencode.modules.interviews.service.base import Case, Neighbours, UseCases, person
from opencode.modules.interviews.service.control import Control
from opencode.modules.interviews.service.finishing import give_up, give_up_answer
from opencode.modules.interviews.service.languages import Languages
from opencode.modules.interviews.service.starting import go_live
from opencode.modules.interviews.settings import InterviewsSettings
from opencode.modules.interviews.store import InterviewsWork, News


class Steering(UseCases):
    def __init__(
        self,
        parts: Parts,
        settings: InterviewsSettings,
        neighbours: Neighbours,
        languages: Languages,
        control: Control,
    ) -> None:
        super().__init__(parts, settings, neighbours)
        self._languages = languages
        self._control = control
        self._role_locks: WeakValueDictionary[str, Lock] = WeakValueDictionary()

    async def start(self, interview_id: str, by: Principal) -> Interview:
        """Go live. Doing it twice is the same as once."""
        async with self.changing(interview_id, by, Action.START) as (work, case):
            return await go_live(self, work, case.interview)

    async def end(self, interview_id: str, by: Principal) -> Interview:
        """
        End the interview: its code stops working, candidates are cut off, runs under way are stopped. Doing it twice
        is the same as once.
        """
        async with self.changing(interview_id, by, Action.END) as (work, case):
            interview = case.interview
            if interview.is_over:
                return interview
            ended = interview.end(self.clock.now())
            stopped = await self._close(work, ended, was_live=interview.state is InterviewState.LIVE)
        await self.documents.disconnect(ended.document_id, CloseReason.ENDED)
        for run in stopped.runs:
            await self._control.stop_run(run.id)
        for question in stopped.questions:
            await self._control.stop_answer(question.id, INTERVIEW_ENDED_ANSWER)
        await self.identity.record("interview.ended", actor=by, subject_id=ended.id)
        return ended

    async def change(
        self,
        interview_id: str,
        by: Principal,
        *,
        title: str | None = None,
        language: str | None = None,
        frozen: bool | None = None,
        assistant: AssistantTerms | None = None,
    ) -> Interview:
        """
        Change what is given, all of it or nothing. A language gets its template the first time it is chosen.

        Raises:
            LanguageNotKnown, TextRefused
            AssistantNotHere, AssistantModelNotKnown: the interviewer can use no model, or not this one.
            EditingFrozen: a candidate switches the language while the editor is frozen.
        """
        wanted = Change(
            title=None if title is None else clean_line(title, "/title", longest=MAX_TITLE),
            language=None if language is None else await self._languages.find(language),
            frozen=frozen,
            assistant=await self._terms(interview_id, by, assistant),
        )
        if wanted.language is not None:
            async with self.reading() as stores:
                case = await self.case(stores, interview_id, by, Action.SWITCH_LANGUAGE)
                wanted.require_allowed(case, by)
            # Before the switch is known to anybody, so that nobody finds an empty buffer and starts typing in it.
            await self.documents.seed(case.interview.document_id, wanted.language.id, wanted.language.template)
        async with self.changing(interview_id, by, Action.SEE) as (work, case):
            wanted.require_allowed(case, by)
            changed = wanted.applied_to(case.interview)
            if changed != case.interview:
                await work.stores.interviews.save(changed)
                await work.say(changed.id, self.clock.now(), *self._news_of_change(case.interview, changed, by))
        if wanted.language is not None:
            self.runner.expect(wanted.language.id)
        if frozen is not None:
            await self.apply_roles(changed)
        if changed.assistant.mode is AssistantMode.FORBIDDEN:
            await self._stop_answers(changed)
        return changed

    async def _terms(self, interview_id: str, by: Principal, wanted: AssistantTerms | None) -> AssistantTerms | None:
        if wanted is None:
            return None
        async with self.reading() as stores:
            owner = (await self.case(stores, interview_id, by, Action.ALLOW_ASSISTANT)).interview.interviewer_id
        return await checked_terms(self.assistants, owner, wanted)

    async def _stop_answers(self, interview: Interview) -> None:
        async with self.reading() as stores:
            questions = await stores.questions.open(interview.id)
        for question in questions:
            await self._control.stop_answer(question.id, FORBIDDEN_MEANWHILE)

    async def end_overdue(self) -> None:
        """End live interviews whose time is up. Any number of servers may do it at once."""
        now = self.clock.now()
        async with self.reading() as stores:
            overdue = await stores.interviews.overdue(now)
        for interview_id in overdue:
            await self.end(interview_id, SYSTEM)

    async def apply_roles(self, interview: Interview) -> None:
        """
        Tell the document who may write, from what is saved now. Freezing and lifting may overtake each other on
        their way here; whoever comes last says what is true, because it is read under the lock.
        """
        lock = self._role_locks.setdefault(interview.id, Lock())
        async with lock:
            async with self.reading() as stores:
                current = await stores.interviews.find(interview.id)
                candidates = await stores.people.admitted_candidates(interview.id)
            if current is None or current.is_over:
                return
            role = PeerRole.READ if current.frozen else PeerRole.WRITE
            for candidate in candidates:
                await self.documents.set_role(current.document_id, candidate.id, role)

    async def _close(self, work: InterviewsWork, ended: Interview, *, was_live: bool) -> "_Stopped":
        at = self.clock.now()
        await work.stores.interviews.save(ended)
        goodbye = timedelta(minutes=self.settings.goodbye_minutes)
        await work.stores.people.close_at_end(ended.id, dismiss_at=at + goodbye)
        stopped = await work.stores.runs.under_way(ended.id)
        for run in stopped:
            await give_up(work, run, Verdict.STOPPED, INTERVIEW_ENDED, at)
        questions = await work.stores.questions.open(ended.id)
        for question in questions:
            await give_up_answer(work, question, INTERVIEW_ENDED_ANSWER, at)
        # Last of all: streams end with it.
        await work.say(ended.id, at, self.news_of(EventType.INTERVIEW_ENDED, ended))
        work.publish(InterviewEnded(interview_id=ended.id, ended_at=at))
        if was_live:
            work.after_commit(metrics.ACTIVE_INTERVIEWS.dec)
        return _Stopped(stopped, questions)

    def _news_of_change(self, before: Interview, after: Interview, by: Principal) -> list[News]:
        news: list[News] = []
        if after.title != before.title:
            news.append(self.news_of(EventType.INTERVIEW_CHANGED, after))
        if after.language != before.language:
            news.append(News(EventType.LANGUAGE_CHANGED, {"language": after.language, "by": person(by)}))
        if after.frozen != before.frozen:
            news.append(News(EventType.INTERVIEW_FROZEN, {"frozen": after.frozen, "by": person(by)}))
        if after.assistant != before.assistant:
            adds: dict[str, object] = {"assistant": AssistantView.of(after.assistant), "by": person(by)}
            news.append(News(EventType.ASSISTANT_ALLOWED, adds))
        return news


@dataclass(frozen=True, slots=True)
class _Stopped:
    """What was under way when an interview ended."""

    runs: list[Run]
    questions: list[Question]


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody wants changed of an interview; None leaves it."""

    title: str | None
    language: Language | None
    frozen: bool | None
    assistant: AssistantTerms | None

    def require_allowed(self, case: Case, by: Principal) -> None:
        """
        Raises:
            EditingFrozen: a candidate switches the language while the editor is frozen.
        """
        wishes = (
            (Action.RENAME, self.title),
            (Action.SWITCH_LANGUAGE, self.language),
            (Action.FREEZE, self.frozen),
            (Action.ALLOW_ASSISTANT, self.assistant),
        )
        for action, wish in wishes:
            if wish is not None:
                policy.require(action, case.standing, case.interview)
                policy.require_permission(action, by, case.standing)
        if self.language is not None and case.standing is Standing.ADMITTED and case.interview.frozen:
            raise EditingFrozen("switch the language")

    def applied_to(self, interview: Interview) -> Interview:
        return replace(
            interview if self.language is None else interview.speak(self.language.id),
            title=interview.title if self.title is None else self.title,
            frozen=interview.frozen if self.frozen is None else self.frozen,
            assistant=interview.assistant if self.assistant is None else self.assistant,
        )
