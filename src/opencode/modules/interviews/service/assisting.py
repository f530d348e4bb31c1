"""Asking the assistant, reading what it answered, stopping it."""

from dataclasses import dataclass, replace
from datetime import datetime

from opencode.contracts.ai import Answered
from opencode.infra.db import fingerprint
from opencode.infra.plugs import Parts
from opencode.kernel.ids import QuestionId, UserId, is_id, new_id
from opencode.kernel.pages import Page, PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.interviews import policy
from opencode.modules.interviews.domain.assistant import (
    FORBIDDEN,
    MAX_ANSWER,
    MAX_CODE,
    MAX_QUESTION,
    MOST_OUTPUT_TOKENS,
    RESTARTED,
    STOPPED,
    SYSTEM,
    TOO_LONG,
    TURNS_REMEMBERED,
    AssistantMode,
    AssistantTerms,
    Question,
    turns_of,
)
from opencode.modules.interviews.domain.interview import Interview
from opencode.modules.interviews.domain.records import EventType
from opencode.modules.interviews.domain.views import QuestionView
from opencode.modules.interviews.domain.words import clean_message
from opencode.modules.interviews.errors import (
    AnswerUnderWay,
    AssistantBudgetSpent,
    AssistantNotAllowed,
    AssistantNotHere,
    EditingFrozen,
    InterviewNotLive,
    InterviewOver,
    KeyReused,
    NotYours,
    QuestionNotFound,
    QuestionsSpent,
)
from opencode.modules.interviews.policy import Action, Standing
from opencode.modules.interviews.service.base import Case, Neighbours, UseCases
from opencode.modules.interviews.service.control import Control
from opencode.modules.interviews.service.finishing import give_up_answer, said_so_far, save_answered
from opencode.modules.interviews.service.replying import Replies
from opencode.modules.interviews.settings import InterviewsSettings
from opencode.modules.interviews.store import InterviewsWork, News, Stores


@dataclass(frozen=True, slots=True)
class AssistantPlace:
    """The assistant of an interview as one reader finds it. Models and money are for interviewers."""

    terms: AssistantTerms
    questions_left: int
    may_ask: bool
    models: list[str]
    budget_nano: int | None = None
    cost_nano: int | None = None


@dataclass(frozen=True, slots=True)
class ToldQuestion:
    """
    A question as somebody finds it who comes in.

    Attributes:
        question: while it is being answered, with what has been said so far.
        answer_seq: the number of the event that told the last of that; None once the question has its end.
    """

    question: Question
    answer_seq: int | None


class AskedQuestion:
    """`replying.Asked` for a question."""

    most = MAX_ANSWER
    too_long = TOO_LONG

    def __init__(self, question: Question) -> None:
        self.id = question.id
        self.interview_id = question.interview_id
        self._question = question

    def piece(self, text: str) -> News:
        return News(EventType.ASSISTANT_ANSWERED, {"question_id": self.id, "text": text}, about=self.id)

    async def is_open(self, stores: Stores) -> bool:
        return await stores.questions.is_open(self._question.id)

    async def answered(self, work: InterviewsWork, text: str, end: Answered, at: datetime, *before: News) -> None:
        await save_answered(work, self._question.answered(text, end, at), *before)

    async def failed(self, work: InterviewsWork, text: str, failure: str, at: datetime, *before: News) -> None:
        await save_answered(work, self._question.failed(text, failure, at), *before)


class Assisting(UseCases):
    def __init__(self, parts: Parts, settings: InterviewsSettings, neighbours: Neighbours, control: Control) -> None:
        super().__init__(parts, settings, neighbours)
        self._control = control
        self.replies = Replies(parts)

    async def place(self, interview_id: str, by: Principal) -> AssistantPlace:
        """Where the interviewer can use no model, it reads like an assistant that nobody may ask."""
        async with self.reading() as stores:
            case = await self.case(stores, interview_id, by, Action.SEE)
            asked, cost_nano = await stores.questions.asked(case.interview.id)
        terms, is_candidate = case.interview.assistant, case.standing is Standing.ADMITTED
        models = await self.assistants.available(UserId(case.interview.interviewer_id))
        if not models or (is_candidate and terms.mode is AssistantMode.FORBIDDEN):
            return AssistantPlace(FORBIDDEN, 0, may_ask=False, models=[])
        left = max(0, terms.most_questions - asked)
        may_ask = left > 0 and not terms.is_spent(cost_nano) and _may_ask(case)
        if is_candidate:
            return AssistantPlace(terms, left, may_ask, [])
        return AssistantPlace(terms, left, may_ask, models, terms.budget_nano, cost_nano)

    async def list(self, interview_id: str, by: Principal, wanted: PageRequest) -> Page[ToldQuestion]:
        """Oldest first. What was asked is read also where nobody may ask any more."""
        async with self.reading() as stores:
            case = await self.case(stores, interview_id, by, Action.SEE)
            page = await stores.questions.page(case.interview.id, wanted)
            seen = [policy.question_seen(case.standing, each) for each in page.items]
            return Page([await _told(stores, question) for question in seen], page.next_cursor)

    async def ask(
        self, interview_id: str, by: Principal, text: str, *, include_code: bool = False, key: str | None = None
    ) -> Question:
        """
        Ask, and answer without waiting for what the model says: the event stream tells.

        Args:
            include_code: the shared text of the interview's language, as the server has it now, goes along.
            key: the caller's `Idempotency-Key`; the same request with the same key asks nothing again for a day.

        Raises:
            AssistantNotHere, AssistantNotAllowed, EditingFrozen, AnswerUnderWay, QuestionsSpent, AssistantBudgetSpent
            TextRefused, KeyReused
        """
        text = clean_message(text, "/text", longest=MAX_QUESTION)
        async with self.reading() as stores:
            case = await self.case(stores, interview_id, by, Action.ASK_ASSISTANT)
        await self._available(case.interview)
        policy.require_may_ask(case.standing, case.interview)
        print_of_request = fingerprint(("question", interview_id, text, include_code))
        if key and (earlier := await self._asked_before(interview_id, by, key, print_of_request)):
            return policy.question_seen(case.standing, earlier)
        code = None
        if include_code:
            code = (await self.documents.text(case.interview.document_id, case.interview.language))[:MAX_CODE]
        question = self._question(case, by, text, code)
        try:
            earlier_ones = await self._save(question, by, key, print_of_request)
        except (KeyReused, AnswerUnderWay):
            # The same request may have come twice at the same moment; the other one asked then.
            if key and (earlier := await self._asked_before(interview_id, by, key, print_of_request)):
                return policy.question_seen(case.standing, earlier)
            raise
        self._reply(case.interview, question, earlier_ones)
        return question

    async def stop(self, interview_id: str, question_id: str, by: Principal) -> Question:
        """
        Ask for the end of an answer, wherever it is waited for. One that has ended stays as it is. Candidates stop
        answers to their own questions only.

        Raises:
            QuestionNotFound, NotYours
        """
        async with self.reading() as stores:
            case = await self.case(stores, interview_id, by, Action.STOP_ANSWER)
            question = await self._find(stores, case.interview, question_id)
        if case.standing is Standing.ADMITTED and question.asked_by_id != by.id:
            raise NotYours(Action.STOP_ANSWER, case.standing)
        if question.is_open:
            name = case.me.name if case.me else by.name
            await self._control.stop_answer(question.id, STOPPED.format(name=name))
        return policy.question_seen(case.standing, question)

    async def give_up_lost(self, *, starting: bool = False) -> None:
        """
        End answers whose server is gone.

        Args:
            starting: see `silent_since`.
        """
        async with self.reading() as stores:
            lost = await stores.questions.lost(self.silent_since(starting=starting))
        for question in lost:
            if question.id not in self.replies.ids:
                async with self.unit_of_work() as work:
                    await give_up_answer(work, question, RESTARTED, self.clock.now())

    async def keep_alive(self) -> None:
        """Tell the other servers that the answers of this one are not lost."""
        if waiting := [QuestionId(question_id) for question_id in self.replies.ids]:
            async with self.unit_of_work() as work:
                await work.stores.questions.still_answered(waiting, self.clock.now())

    async def close(self) -> None:
        """The server goes down."""
        await self.replies.close(RESTARTED)

    async def _available(self, interview: Interview) -> "list[str]":
        models = await self.assistants.available(UserId(interview.interviewer_id))
        if not models:
            raise AssistantNotHere
        return models

    def _question(self, case: Case, by: Principal, text: str, code: str | None) -> Question:
        now = self.clock.now()
        return Question(
            id=QuestionId(new_id("qst")),
            interview_id=case.interview.id,
            asked_by_id=by.id,
            asked_by_name=case.me.name if case.me else by.name,
            asked_by_role=policy.part_of(case.standing),
            model=case.interview.assistant.model,
            text=text,
            language=None if code is None else case.interview.language,
            code=code,
            asked_at=now,
            alive_at=now,
        )

    async def _save(
        self, question: Question, by: Principal, key: str | None, print_of_request: str
    ) -> "list[Question]":
        """The questions before it, with their answers."""
        async with self.changing(question.interview_id, by, Action.ASK_ASSISTANT) as (work, case):
            policy.require_may_ask(case.standing, case.interview)
            questions = work.stores.questions
            if await questions.open(case.interview.id):
                raise AnswerUnderWay
            terms = case.interview.assistant
            asked, cost_nano = await questions.asked(case.interview.id)
            if asked >= terms.most_questions:
                raise QuestionsSpent(terms.most_questions)
            if terms.is_spent(cost_nano):
                raise AssistantBudgetSpent
            if key:
                await work.stores.requests.add(by.id, key, print_of_request, question.id, question.asked_at)
            earlier = await questions.last_answered(case.interview.id, TURNS_REMEMBERED)
            await questions.add(question)
            news = News(EventType.ASSISTANT_ASKED, {"question": QuestionView.of(question)}, about=question.id)
            await work.say(question.interview_id, question.asked_at, news)
        return earlier

    def _reply(self, interview: Interview, question: Question, earlier: "list[Question]") -> None:
        pieces = self.assistants.answer(
            on_behalf_of=UserId(interview.interviewer_id),
            model=question.model,
            system=SYSTEM,
            turns=turns_of(earlier, question),
            most_output_tokens=MOST_OUTPUT_TOKENS,
        )
        self.replies.start(AskedQuestion(question), pieces)

    async def _find(self, stores: Stores, interview: Interview, question_id: str) -> Question:
        found = await stores.questions.find(interview.id, question_id) if is_id(question_id, "qst") else None
        if found is None:
            raise QuestionNotFound(question_id[:40])
        return found

    async def _asked_before(self, interview_id: str, by: Principal, key: str, print_of_request: str) -> Question | None:
        async with self.reading() as stores:
            if (made := await stores.requests.find(by.id, key)) is None:
                return None
            if made[0] != print_of_request:
                raise KeyReused
            case = await self.case(stores, interview_id, by, Action.SEE)
            return await stores.questions.find(case.interview.id, made[1])


async def _told(stores: Stores, question: Question) -> ToldQuestion:
    if not question.is_open:
        return ToldQuestion(question, None)
    answer, seq = await said_so_far(stores, question.interview_id, question.id)
    return ToldQuestion(replace(question, answer=answer), seq)


def _may_ask(case: Case) -> bool:
    try:
        policy.require(Action.ASK_ASSISTANT, case.standing, case.interview)
        policy.require_may_ask(case.standing, case.interview)
    except (AssistantNotAllowed, EditingFrozen, InterviewNotLive, InterviewOver, NotYours):
        return False
    return True
