"""What one is told, and where."""

from litestar import Controller, get, put
from litestar.di import NamedDependency
from litestar.params import JSONBody

from opencode.kernel.principal import Principal
from opencode.modules.notifications.schemas import PreferencesBody, PreferencesView
from opencode.modules.notifications.service.preferring import Preferring


class PreferencesController(Controller):
    path = "/api/v1/me/notices/preferences"
    tags = ("Notifications",)

    @get("/", operation_id="get_notice_preferences", summary="What one is told, and where")
    async def look(
        self, principal: NamedDependency[Principal], preferring: NamedDependency[Preferring]
    ) -> PreferencesView:
        return PreferencesView.of(await preferring.look(principal), mails=preferring.mails)

    @put("/", operation_id="set_notice_preferences", summary="Choose what one is told, and where")
    async def choose(
        self,
        data: JSONBody[PreferencesBody],
        principal: NamedDependency[Principal],
        preferring: NamedDependency[Preferring],
    ) -> PreferencesView:
        """Kinds that are not named have their defaults again."""
        return PreferencesView.of(await preferring.choose(principal, data.choices()), mails=preferring.mails)
