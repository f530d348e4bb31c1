"""Interviews themselves."""

from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from opencode.infra.http import IdempotencyKey, PageView
from opencode.kernel.pages import PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.interviews.domain.assistant import FORBIDDEN
from opencode.modules.interviews.domain.export import Export
from opencode.modules.interviews.domain.views import InterviewView
from opencode.modules.interviews.schemas import InterviewChange, InterviewDraft, LanguagesView, LanguageView
from opencode.modules.interviews.service.arranging import Arranging
from opencode.modules.interviews.service.exporting import Exporting
from opencode.modules.interviews.service.languages import Languages
from opencode.modules.interviews.service.steering import Steering


class InterviewsController(Controller):
    path = "/api/v1/interviews"
    tags = ("Interviews",)

    @post("/", operation_id="create_interview", summary="Create an interview with its code and document")
    async def create(
        self,
        data: JSONBody[InterviewDraft],
        principal: NamedDependency[Principal],
        arranging: NamedDependency[Arranging],
        idempotency_key: IdempotencyKey = None,
    ) -> InterviewView:
        made = await arranging.create(
            principal,
            title=data.title,
            language=data.language,
            duration_minutes=data.duration_minutes,
            assistant=data.assistant.terms if data.assistant else FORBIDDEN,
            key=idempotency_key,
        )
        return arranging.shown(made)

    @get("/", operation_id="list_interviews", summary="List one's own interviews, newest first")
    async def list_own(
        self,
        principal: NamedDependency[Principal],
        page: NamedDependency[PageRequest],
        arranging: NamedDependency[Arranging],
    ) -> PageView[InterviewView]:
        found = await arranging.list(principal, page)
        return PageView([arranging.shown(interview) for interview in found.items], found.next_cursor)

    @get("/{interview_id:str}", operation_id="get_interview", summary="Get an interview")
    async def get_one(
        self, interview_id: FromPath[str], principal: NamedDependency[Principal], arranging: NamedDependency[Arranging]
    ) -> InterviewView:
        return arranging.shown(await arranging.get(interview_id, principal))

    @patch(
        "/{interview_id:str}",
        operation_id="change_interview",
        summary="Rename, switch language, freeze, allow the assistant",
    )
    async def change(
        self,
        interview_id: FromPath[str],
        data: JSONBody[InterviewChange],
        principal: NamedDependency[Principal],
        steering: NamedDependency[Steering],
    ) -> InterviewView:
        changed = await steering.change(
            interview_id,
            principal,
            title=data.title,
            language=data.language,
            frozen=data.frozen,
            assistant=data.assistant.terms if data.assistant else None,
        )
        return steering.shown(changed)

    @delete("/{interview_id:str}", operation_id="delete_interview", summary="Delete an interview that is not live")
    async def remove(
        self, interview_id: FromPath[str], principal: NamedDependency[Principal], arranging: NamedDependency[Arranging]
    ) -> None:
        await arranging.delete(interview_id, principal)

    @post("/{interview_id:str}/start", operation_id="start_interview", status_code=200, summary="Go live")
    async def start(
        self, interview_id: FromPath[str], principal: NamedDependency[Principal], steering: NamedDependency[Steering]
    ) -> InterviewView:
        return steering.shown(await steering.start(interview_id, principal))

    @post("/{interview_id:str}/end", operation_id="end_interview", status_code=200, summary="End for everybody")
    async def end(
        self, interview_id: FromPath[str], principal: NamedDependency[Principal], steering: NamedDependency[Steering]
    ) -> InterviewView:
        return steering.shown(await steering.end(interview_id, principal))

    @get("/{interview_id:str}/export", operation_id="export_interview", summary="Export the whole interview")
    async def export(
        self, interview_id: FromPath[str], principal: NamedDependency[Principal], exporting: NamedDependency[Exporting]
    ) -> Response[Export]:
        exported = await exporting.export(interview_id, principal)
        name = f"interview-{next(iter(exported.sessions))}.json"
        headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
        return Response(exported, headers=headers)


@get(
    "/api/v1/languages", operation_id="list_languages", summary="List the languages of this server", tags=["Interviews"]
)
async def list_languages(languages: NamedDependency[Languages]) -> LanguagesView:
    return LanguagesView([LanguageView.of(language) for language in await languages.list()])
