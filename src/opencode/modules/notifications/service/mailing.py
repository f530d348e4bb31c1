"""Sending mail: a row first, in the transaction of the notice; the mail server afterwards, until it has the mail."""

import asyncio
import random
from datetime import timedelta

import msgspec
import structlog

from opencode.contracts.identity import Identity
from opencode.contracts.notifications import NoticeKind
from opencode.infra.observability import metrics
from opencode.infra.plugs import Parts
from opencode.infra.security import Signer
from opencode.modules.notifications.adapters.smtp import Envelope, MailDelayed, MailRefused, SmtpMailer
from opencode.modules.notifications.domain.mails import Mail, MailState, letter_of, mailable, retry_at
from opencode.modules.notifications.domain.notices import Notice
from opencode.modules.notifications.domain.preferences import MailWhen, with_defaults
from opencode.modules.notifications.service.base import UseCases
from opencode.modules.notifications.settings import NotificationsSettings

log = structlog.get_logger(__name__)

AT_ONCE = 5
"""Mails that a server sends at the same time."""
CLAIM = timedelta(minutes=5)
"""A server that dies while it sends leaves the mail due again after this time."""
UNSUBSCRIBE_PATH = "/api/v1/notices/unsubscribe"


class Leave(msgspec.Struct, frozen=True, array_like=True, tag="notices.unsubscribe.v1"):
    """Who gets no more mails, and of which kind; empty for all kinds. It holds without an end (RFC 8058)."""

    user_id: str
    kind: str

    @property
    def kinds(self) -> frozenset[NoticeKind]:
        return frozenset(kind for kind in NoticeKind if not self.kind or kind == self.kind)


class Mailing(UseCases):
    """
    Attributes:
        trouble: why the last mail could not be handed over; empty when it could.
    """

    def __init__(self, parts: Parts, settings: NotificationsSettings, identity: Identity, mailer: SmtpMailer) -> None:
        super().__init__(parts, settings, identity)
        self._mailer = mailer
        self.trouble = ""

    async def send_due(self) -> None:
        """Send what is due now. Several servers may do it at once: each takes others."""
        while mails := await self._claim():
            await asyncio.gather(*(self._send_one(mail) for mail in mails))

    async def _send_one(self, mail: Mail) -> None:
        try:
            await self._send(mail)
        except Exception:
            # The others of the moment must not suffer; this one is due again when its claim ends.
            log.exception("mail could not be settled", mail_id=mail.id)

    async def _claim(self) -> list[Mail]:
        now = self.clock.now()
        # Nearly every look finds nothing, and a look must not take the one writer's place on SQLite.
        async with self.reading() as stores:
            soonest = await stores.mails.soonest()
        if soonest is None or soonest > now:
            return []
        async with self.unit_of_work() as work:
            return await work.stores.mails.claim(now, now + CLAIM, limit=AT_ONCE)

    async def _send(self, mail: Mail) -> None:
        notices = await self._left_to_tell(mail)
        known = await self.identity.email_addresses(frozenset({mail.user_id}))
        address = mailable(known.get(mail.user_id, ""))
        if not notices or address is None:
            await self._settle(mail, MailState.DROPPED)
            return
        kind = "" if mail.digest_at else notices[0].kind
        leave = leave_url(self.parts.signer, self.parts.public_url(), Leave(mail.user_id, kind))
        letter = letter_of(notices, is_digest=mail.digest_at is not None, home=self.parts.public_url(), leave=leave)
        try:
            await self._mailer.send(letter, Envelope(address, mail.id, self.clock.now(), leave))
        except MailRefused as failure:
            await self._settle(mail, MailState.REFUSED, error=str(failure))
        except MailDelayed as failure:
            await self._try_later(mail, str(failure))
        else:
            self.trouble = ""
            await self._settle(mail, MailState.SENT)

    async def _left_to_tell(self, mail: Mail) -> list[Notice]:
        """Without what was deleted or, for a daily mail, read meanwhile, and what its person wants no more mail of."""
        async with self.reading() as stores:
            notices = await stores.notices.of_mail(mail.id)
            choices = with_defaults(await stores.preferences.of(mail.user_id))
        return [
            notice
            for notice in notices
            if choices[notice.kind].mail is not MailWhen.NONE and not (mail.digest_at and notice.read_at)
        ]

    async def _settle(self, mail: Mail, state: MailState, *, error: str = "") -> None:
        metrics.MAILS.labels(outcome=state).inc()
        if error:
            log.info("mail settled", mail_id=mail.id, state=state, error=error)
        async with self.unit_of_work() as work:
            await work.stores.mails.settle(mail.id, state, error=error[:500])

    async def _try_later(self, mail: Mail, error: str) -> None:
        due_at = retry_at(mail, self.clock.now(), random.random())  # noqa: S311, to spread attempts
        self.trouble = error
        if due_at is None:
            await self._settle(mail, MailState.GIVEN_UP, error=error)
            return
        metrics.MAILS.labels(outcome="delayed").inc()
        log.warning("mail could not be sent, trying again", mail_id=mail.id, attempts=mail.attempts + 1, error=error)
        async with self.unit_of_work() as work:
            await work.stores.mails.failed(mail.id, due_at=due_at, attempts=mail.attempts + 1, error=error[:500])


def leave_url(signer: Signer, home: str, leave: Leave) -> str:
    """The address that ends mails, by one POST."""
    return f"{home}{UNSUBSCRIBE_PATH}?token={signer.sign(leave)}"
