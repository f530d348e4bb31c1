"""What somebody wants to be told, and where."""

from opencode.contracts.notifications import NoticeKind
from opencode.kernel.ids import UserId
from opencode.kernel.principal import Principal
from opencode.modules.notifications import policy
from opencode.modules.notifications.domain.preferences import Choice, Choices, with_defaults, without_mail
from opencode.modules.notifications.errors import UnsubscribeLinkBroken
from opencode.modules.notifications.policy import Action
from opencode.modules.notifications.service.base import UseCases
from opencode.modules.notifications.service.mailing import Leave


class Preferring(UseCases):
    @property
    def mails(self) -> bool:
        """This server sends mail."""
        return self.settings.mails

    async def look(self, by: Principal) -> dict[NoticeKind, Choice]:
        """What holds for each kind, chosen or not."""
        policy.require(Action.READ_NOTICES, by)
        async with self.reading() as stores:
            return with_defaults(await stores.preferences.of(by.id))

    async def choose(self, by: Principal, choices: Choices) -> dict[NoticeKind, Choice]:
        """Make these one's choices; kinds that are not among them have their defaults again."""
        policy.require(Action.CHOOSE, by)
        async with self.unit_of_work() as work:
            await work.stores.notices.lock([UserId(by.id)])
            await work.stores.preferences.replace(by.id, choices)
        return with_defaults(choices)

    def kind_of(self, token: str) -> str:
        """
        The kind of notices that the link of a mail is for; empty for all.

        Raises:
            UnsubscribeLinkBroken
        """
        return self._leave(token).kind

    async def unsubscribe(self, token: str) -> None:
        """
        Do what the link of a mail says, without asking who follows it: its signature is leave enough.

        Raises:
            UnsubscribeLinkBroken
        """
        leave = self._leave(token)
        async with self.unit_of_work() as work:
            await work.stores.notices.lock([UserId(leave.user_id)])
            chosen = await work.stores.preferences.of(leave.user_id)
            await work.stores.preferences.replace(leave.user_id, without_mail(chosen, leave.kinds))

    def _leave(self, token: str) -> Leave:
        if (leave := self.parts.signer.verify(token, Leave)) is None:
            raise UnsubscribeLinkBroken
        return leave
