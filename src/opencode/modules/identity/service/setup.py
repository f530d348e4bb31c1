"""The first administrator: from the settings, or by the one-time link that the first start prints."""

from opencode.infra.plugs import Parts
from opencode.infra.security import hash_secret, new_secret
from opencode.infra.settings import SettingsError
from opencode.kernel.ids import UserId, new_id
from opencode.modules.identity.domain import (
    SETUP_LINK_LIFETIME,
    Account,
    Role,
    email_problem,
    password_problem,
    tidy,
)
from opencode.modules.identity.errors import EmailTaken, SetupLinkDead
from opencode.modules.identity.service.accounts import Accounts
from opencode.modules.identity.service.base import Service
from opencode.modules.identity.service.passwords import Passwords
from opencode.modules.identity.service.sessions import Sessions, SignedIn
from opencode.modules.identity.settings import IdentitySettings

_NAME = "Administrator"


class Setup(Service):
    def __init__(
        self, parts: Parts, settings: IdentitySettings, passwords: Passwords, sessions: Sessions, accounts: Accounts
    ) -> None:
        super().__init__(parts, settings)
        self._passwords = passwords
        self._sessions = sessions
        self._accounts = accounts

    async def ensure_administrator(self) -> None:
        """
        Make the administrator that the settings name, unless there is an account with that address: what became of
        it since (another password, other roles) is its owner's business.

        Raises:
            SettingsError: the address or the password is not accepted.
        """
        email, password = tidy(self._settings.admin_email), self._settings.admin_password
        if not email:
            return
        self._check(email, password)
        async with self._reading() as stores:
            if await stores.accounts.by_email(email):
                return
        account = self._administrator(email, await self._passwords.hash(password))
        try:
            async with self._work() as work:
                await work.stores.accounts.lock_administrators()
                await self._accounts.add(work, account, address="")
        except EmailTaken:
            # Another server, started at the same moment with the same settings, was faster.
            return

    async def new_link(self) -> str | None:
        """
        The link with which somebody becomes administrator, or None when there is an account. The links of earlier
        starts stop working: what scrolled by in an old log opens nothing.
        """
        secret = new_secret("ocl")
        async with self._work() as work:
            await work.stores.accounts.lock_administrators()
            if not await work.stores.accounts.is_empty():
                await work.stores.setup_links.clear()
                return None
            await work.stores.setup_links.replace(hash_secret(secret), self._now() + SETUP_LINK_LIFETIME)
        # After the `#`, so that no proxy and no server log ever sees it.
        return f"{self._parts.public_url()}/setup#token={secret}"

    async def use_link(self, secret: str, *, address: str) -> SignedIn:
        """
        Make the administrator and sign them in. They choose address and password afterwards.

        Raises:
            SetupLinkDead: it was used, has expired, or is not the last one; or somebody has registered.
            TooManyAttempts: too many in the last minute from this address.
        """
        await self._brake("setup", address)
        async with self._work() as work:
            await work.stores.accounts.lock_administrators()
            if not await work.stores.accounts.is_empty():
                raise SetupLinkDead
            if not await work.stores.setup_links.take(hash_secret(secret), self._now()):
                raise SetupLinkDead
            account = self._administrator(None, None)
            await self._accounts.add(work, account, address=address)
            await self._note(work.stores, "setup.used", actor=account.id, subject=account.id, address=address)
            return await self._sessions.open(work, account)

    def _administrator(self, email: str | None, password_hash: str | None) -> Account:
        return Account(
            id=UserId(new_id("usr")),
            email=email,
            password_hash=password_hash,
            display_name=_NAME,
            roles=frozenset({Role.ADMIN}),
            created_at=self._now(),
        )

    def _check(self, email: str, password: str) -> None:
        problems = {"OCP_ADMIN_EMAIL": email_problem(email), "OCP_ADMIN_PASSWORD": password_problem(password, email)}
        if found := [f"{name} {problem}" for name, problem in problems.items() if problem]:
            raise SettingsError(found)
