"""Creating interviews, finding them again, deleting them."""

from dataclasses import replace
from datetime import timedelta

from opencode.contracts.execution import Language
from opencode.contracts.interviews import InterviewCreated
from opencode.infra.db import fingerprint
from opencode.infra.plugs import Parts
from opencode.kernel.ids import InterviewId, new_id
from opencode.kernel.pages import Page, PageRequest
from opencode.kernel.principal import Principal
from opencode.modules.interviews.domain.assistant import FORBIDDEN, AssistantTerms
from opencode.modules.interviews.domain.interview import MAX_TITLE, Interview, InterviewState, new_code
from opencode.modules.interviews.domain.people import INTERVIEWER_COLOUR, Part, Participant, Status
from opencode.modules.interviews.domain.words import clean_line
from opencode.modules.interviews.errors import CodeTaken, KeyReused, NoCodeFree
from opencode.modules.interviews.policy import TO_CREATE, TO_READ, Action
from opencode.modules.interviews.service.allowing import checked_terms
from opencode.modules.interviews.service.base import Neighbours, UseCases
from opencode.modules.interviews.service.languages import Languages
from opencode.modules.interviews.settings import InterviewsSettings

# Of a million codes; with a hundred thousand interviews open, twenty draws all fail once in 10**20 times.
_DRAWS = 20


class Arranging(UseCases):
    def __init__(
        self, parts: Parts, settings: InterviewsSettings, neighbours: Neighbours, languages: Languages
    ) -> None:
        super().__init__(parts, settings, neighbours)
        self._languages = languages

    async def create(
        self,
        by: Principal,
        *,
        title: str,
        language: str | None = None,
        duration_minutes: int | None = None,
        assistant: AssistantTerms = FORBIDDEN,
        key: str | None = None,
    ) -> Interview:
        """
        Make an interview with a document that holds the language's template, and a code to join it.

        Args:
            key: the caller's `Idempotency-Key`; the same request with the same key makes nothing new for a day.

        Raises:
            Unauthenticated, Forbidden: this person may not create interviews.
            LanguageNotKnown, TextRefused, KeyReused
            AssistantNotHere, AssistantModelNotKnown
        """
        by.require(TO_CREATE)
        title = clean_line(title, "/title", longest=MAX_TITLE)
        chosen = await self._languages.find(language) if language is not None else await self._languages.first()
        print_of_request = fingerprint(("interview", title, language, duration_minutes, assistant))
        if key and (earlier := await self._made_before(by, key, print_of_request)):
            return earlier
        terms = await checked_terms(self.assistants, by.id, assistant)
        interview = await self._draft(by, title, chosen, duration_minutes or self.settings.interview_minutes)
        interview = replace(interview, assistant=terms)
        try:
            return await self._save(interview, by, key, print_of_request)
        except BaseException:
            await self.documents.delete(interview.document_id)
            # The same request may have come twice at the same moment; the other one made it then.
            if key and (earlier := await self._made_before(by, key, print_of_request)):
                return earlier
            raise

    async def list(self, by: Principal, wanted: PageRequest) -> Page[Interview]:
        """One's own interviews, newest first."""
        by.require(TO_READ)
        async with self.reading() as stores:
            return await stores.interviews.page_of(by.id, wanted)

    async def get(self, interview_id: str, by: Principal) -> Interview:
        async with self.reading() as stores:
            return (await self.case(stores, interview_id, by, Action.SEE)).interview

    async def delete(self, interview_id: str, by: Principal) -> None:
        """
        Delete an interview with all that belongs to it, its document too.

        Raises:
            StillLive: it must be ended first.
        """
        async with self.changing(interview_id, by, Action.DELETE) as (work, case):
            case.interview.require_deletable()
            people = await work.stores.people.all(case.interview.id)
            await work.stores.interviews.delete(case.interview.id)
        await self.documents.delete(case.interview.document_id)
        for candidate in people:
            if candidate.role is Part.CANDIDATE:
                await self.identity.dismiss_guest(candidate.id)
        await self.identity.record("interview.deleted", actor=by, subject_id=case.interview.id)

    async def _draft(self, by: Principal, title: str, language: Language, duration_minutes: int) -> Interview:
        interview_id = InterviewId(new_id("int"))
        document_id = await self.documents.create(interview_id)
        await self.documents.seed(document_id, language.id, language.template)
        now = self.clock.now()
        code = new_code()
        return Interview(
            id=interview_id,
            code=code,
            open_code=code,
            code_expires_at=now + timedelta(days=self.settings.join_code_days),
            title=title,
            state=InterviewState.SCHEDULED,
            language=language.id,
            languages=(language.id,),
            frozen=False,
            document_id=document_id,
            duration_minutes=duration_minutes,
            interviewer_id=by.id,
            interviewer_name=by.name,
            created_at=now,
        )

    async def _save(self, interview: Interview, by: Principal, key: str | None, print_of_request: str) -> Interview:
        for _ in range(_DRAWS):
            try:
                return await self._insert(interview, by, key, print_of_request)
            except CodeTaken:
                code = new_code()
                interview = replace(interview, code=code, open_code=code)
        raise NoCodeFree

    async def _insert(self, interview: Interview, by: Principal, key: str | None, print_of_request: str) -> Interview:
        host = Participant(
            id=by.id,
            interview_id=interview.id,
            name=by.name,
            role=Part.INTERVIEWER,
            status=Status.ADMITTED,
            colour=INTERVIEWER_COLOUR,
            joined_at=interview.created_at,
            admitted_at=interview.created_at,
        )
        async with self.unit_of_work() as work:
            await work.stores.interviews.add(interview)
            await work.stores.people.add(host)
            if key:
                await work.stores.requests.add(by.id, key, print_of_request, interview.id, interview.created_at)
            work.publish(
                InterviewCreated(interview_id=interview.id, interviewer_id=by.id, created_at=interview.created_at)
            )
        return interview

    async def _made_before(self, by: Principal, key: str, print_of_request: str) -> Interview | None:
        async with self.reading() as stores:
            if (made := await stores.requests.find(by.id, key)) is None:
                return None
            earlier_print, interview_id = made
            if earlier_print != print_of_request:
                raise KeyReused
            return await stores.interviews.find(interview_id)
