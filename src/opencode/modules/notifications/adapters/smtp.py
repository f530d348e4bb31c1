"""Handing mail to a mail server (RFC 5321), over aiosmtplib: a mail that hangs can be given up, a thread could not."""

import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime

import aiosmtplib

from opencode.modules.notifications.domain.mails import Letter
from opencode.modules.notifications.settings import NotificationsSettings, sender_of

TIMEOUT_S = 30.0
"""For each answer of the mail server."""
_FAREWELL_S = 2.0

# RFC 5322, section 2.1.1. Shorter lines would be made by breaking the addresses in List-Unsubscribe.
_LONGEST_LINE = 998


class MailRefused(Exception):
    """The mail server will never take this mail. The message says why, for the operator."""


class MailDelayed(Exception):
    """The mail could not be handed over now. The message says why, for the operator."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """
    What goes around a letter.

    Args:
        to: an address, as `mailable` gives it.
        mail_id: the same in each attempt, so that a receiver can tell a repetition.
        leave: the address that one POST ends these mails at (RFC 8058).
    """

    to: str
    mail_id: str
    at: datetime
    leave: str


@dataclass(frozen=True, slots=True)
class SmtpMailer:
    """
    Sends over one server, each mail on a connection of its own.

    Args:
        tls: whom to trust; by default whom this machine trusts.
    """

    settings: NotificationsSettings
    tls: ssl.SSLContext | None = None

    async def send(self, letter: Letter, envelope: Envelope) -> None:
        """
        Returns once the server has taken the mail into its hands.

        Raises:
            MailRefused, MailDelayed
        """
        name, sender = sender_of(self.settings.smtp_sender) or ("", "")
        try:
            message = _message(letter, envelope, name, sender)
        except ValueError as error:
            raise MailRefused(f"it cannot be written down: {error}") from None
        client = self._client(sender)
        try:
            await self._connect(client)
            await _hand_over(client, message, sender, envelope.to)
            # The mail is the server's by now: how it takes leave changes nothing.
            with suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=_FAREWELL_S)
        finally:
            client.close()

    async def _connect(self, client: aiosmtplib.SMTP) -> None:
        """Whatever fails here, such as a wrong password, has nothing to do with one mail: all of them wait."""
        try:
            await client.connect()
            if self.settings.smtp_user:
                await client.login(self.settings.smtp_user, self.settings.smtp_password)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise MailDelayed(_named(error)) from None

    def _client(self, sender: str) -> aiosmtplib.SMTP:
        security = self.settings.smtp_security
        return aiosmtplib.SMTP(
            hostname=self.settings.smtp_host,
            port=self.settings.smtp_port,
            use_tls=security == "tls",
            start_tls=security == "starttls",
            tls_context=None if security == "none" else self.tls or ssl.create_default_context(),
            local_hostname=sender.rpartition("@")[2],
            timeout=TIMEOUT_S,
        )


async def _hand_over(client: aiosmtplib.SMTP, message: EmailMessage, sender: str, to: str) -> None:
    try:
        await client.send_message(message, sender=sender, recipients=[to])
    except aiosmtplib.SMTPRecipientsRefused as error:
        raise _failure(error.recipients[0].code) from None
    except aiosmtplib.SMTPDataError as error:
        raise _failure(error.code) from None
    except aiosmtplib.SMTPNotSupported:
        raise MailRefused("the mail server does not take addresses beyond ASCII") from None
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        raise MailDelayed(_named(error)) from None


def _named(error: Exception) -> str:
    """What happened, without the server's words: they may name the address."""
    code = f" {error.code}" if isinstance(error, aiosmtplib.SMTPResponseException) else ""
    return f"{type(error).__name__}{code}"


def _failure(code: int) -> MailRefused | MailDelayed:
    """Codes from 500 are for good (RFC 5321, section 4.2.1)."""
    return MailRefused(f"the answer was {code}") if code >= 500 else MailDelayed(f"the answer was {code}")


def _message(letter: Letter, envelope: Envelope, name: str, sender: str) -> EmailMessage:
    """
    Raises:
        ValueError: something would break out of its header; the library refuses line ends in any.
    """
    policy = SMTP if envelope.to.isascii() else SMTPUTF8
    message = EmailMessage(policy.clone(max_line_length=_LONGEST_LINE))
    message["From"] = Address(name, *_halves(sender))
    message["To"] = Address("", *_halves(envelope.to))
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(envelope.at)
    message["Message-ID"] = f"<{envelope.mail_id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's vacation answers it
    message["List-Unsubscribe"] = f"<{envelope.leave}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    return message


def _halves(address: str) -> tuple[str, str]:
    local, _, domain = address.rpartition("@")
    return local, domain
