"""Profiles."""

from litestar import Controller, Response, get, patch
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from opencode.infra.http import IfNoneMatch, answer_to, kept_for
from opencode.kernel.principal import Principal
from opencode.modules.marketplace.domain.surrogates import ALL_PEOPLE, user_key
from opencode.modules.marketplace.routes.revisions import IfMatch, moved_to, with_revision
from opencode.modules.marketplace.schemas.people import ProfileChange, ProfileView, ReputationView
from opencode.modules.marketplace.service.people import People

_PATH = "/api/v1/users"
_KEPT = kept_for(10, 60)


class PeopleController(Controller):
    path = _PATH
    tags = ("Marketplace",)

    @get("/{handle:str}", operation_id="get_profile", summary="Get somebody's profile")
    async def get_one(
        self,
        handle: FromPath[str],
        principal: NamedDependency[Principal],
        people: NamedDependency[People],
        if_none_match: IfNoneMatch = None,
    ) -> Response[ProfileView]:
        """An old handle answers 308 with the present one."""
        person = await people.look(handle, principal)
        if person.profile.handle != handle:
            return moved_to(f"{_PATH}/{person.profile.handle}")
        return answer_to(
            principal,
            ProfileView.of(person),
            control=_KEPT,
            if_none_match=if_none_match,
            surrogate_keys=(user_key(person.profile.user_id), ALL_PEOPLE),
            revision=person.profile.revision,
        )

    @get("/{handle:str}/reputation", operation_id="get_reputation", summary="What somebody's reputation is made of")
    async def reputation(self, handle: FromPath[str], people: NamedDependency[People]) -> Response[ReputationView]:
        """It is computed once an hour. An old handle answers 308 with the present one."""
        profile, reputation, computed_at = await people.reputation(handle)
        if profile.handle != handle:
            return moved_to(f"{_PATH}/{profile.handle}/reputation")
        return Response(ReputationView.of(reputation, computed_at))

    @patch("/{handle:str}", operation_id="change_profile", summary="Change one's own profile")
    async def change(
        self,
        handle: FromPath[str],
        data: JSONBody[ProfileChange],
        principal: NamedDependency[Principal],
        people: NamedDependency[People],
        if_match: IfMatch = None,
    ) -> Response[ProfileView]:
        person = await people.change(handle, principal, data.values(), if_match=if_match)
        return with_revision(ProfileView.of(person), person.profile.revision)


@get("/api/v1/me/profile", operation_id="get_own_profile", summary="Get one's own profile", tags=["Marketplace"])
async def get_own_profile(
    principal: NamedDependency[Principal], people: NamedDependency[People]
) -> Response[ProfileView]:
    """It is made when there is none yet, so this is where somebody learns their handle."""
    person = await people.myself(principal)
    return with_revision(ProfileView.of(person), person.profile.revision)
