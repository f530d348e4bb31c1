"""The assistant of an interview."""

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from opencode.infra.http import IdempotencyKey, PageView
from opencode.kernel.pages import PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.interviews.domain.assistant import NANO_PER_USD
from opencode.modules.interviews.domain.views import QuestionView
from opencode.modules.interviews.schemas import AssistantPlaceView, QuestionDraft
from opencode.modules.interviews.service.assisting import Assisting


class AssistantController(Controller):
    path = "/api/v1/interviews/{interview_id:str}/assistant"
    tags = ("Interviews",)

    @get("/", operation_id="get_assistant", summary="Who may ask the assistant, and what is left to ask")
    async def get_assistant(
        self, interview_id: FromPath[str], principal: NamedDependency[Principal], assisting: NamedDependency[Assisting]
    ) -> AssistantPlaceView:
        place = await assisting.place(interview_id, principal)
        terms = place.terms
        return AssistantPlaceView(
            terms.mode,
            terms.model,
            terms.most_questions,
            place.questions_left,
            place.may_ask,
            place.models,
            budget_usd=None if place.budget_nano is None else place.budget_nano / NANO_PER_USD,
            spent_usd=None if place.cost_nano is None else place.cost_nano / NANO_PER_USD,
        )

    @get("/questions", operation_id="list_questions", summary="Read what was asked and answered, oldest first")
    async def list_questions(
        self,
        interview_id: FromPath[str],
        principal: NamedDependency[Principal],
        page: NamedDependency[PageRequest],
        assisting: NamedDependency[Assisting],
    ) -> PageView[QuestionView]:
        found = await assisting.list(interview_id, principal, page)
        return PageView([QuestionView.of(each.question, each.answer_seq) for each in found.items], found.next_cursor)

    @post("/questions", operation_id="ask_assistant", status_code=202, summary="Ask the assistant")
    async def ask(
        self,
        interview_id: FromPath[str],
        data: JSONBody[QuestionDraft],
        principal: NamedDependency[Principal],
        assisting: NamedDependency[Assisting],
        idempotency_key: IdempotencyKey = None,
    ) -> QuestionView:
        asked = await assisting.ask(
            interview_id, principal, data.text, include_code=data.include_code, key=idempotency_key
        )
        return QuestionView.of(asked)

    @post(
        "/questions/{question_id:str}/stop",
        operation_id="stop_answer",
        status_code=202,
        summary="Stop an answer that is under way",
    )
    async def stop(
        self,
        interview_id: FromPath[str],
        question_id: FromPath[str],
        principal: NamedDependency[Principal],
        assisting: NamedDependency[Assisting],
    ) -> QuestionView:
        return QuestionView.of(await assisting.stop(interview_id, question_id, principal))
