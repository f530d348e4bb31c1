"""What an operator may tune about notices."""

import re
from dataclasses import dataclass
from email.utils import parseaddr

from opencode.infra.settings import SettingsError, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationsSettings:
    """How long notices are kept, what webhooks may, and how mail leaves: none does while no server is named."""

    keep_notices_days: int = setting(180, "days after which notices are deleted", minimum=1, maximum=36_500)
    webhooks_per_person: int = setting(10, "webhooks that one person may have", minimum=0, maximum=1000)
    webhook_failures: int = setting(
        50, "calls of a webhook that fail one after the other, after which it is switched off", minimum=1
    )
    webhook_deliveries_kept: int = setting(500, "deliveries of a webhook that its history holds", minimum=1)
    keep_webhook_deliveries_days: int = setting(
        30, "days after which deliveries leave the history of a webhook", minimum=1, maximum=36_500
    )
    smtp_host: str = setting("", "mail server that takes our mail, such as mail.example.org; empty sends none")
    smtp_port: int = setting(587, "its port: 587 with starttls, 465 with tls, as a rule", minimum=1, maximum=65535)
    smtp_security: str = setting(
        "starttls",
        "starttls: encrypted, or nothing is sent; tls: from the first byte; none: readable for all on the way",
        choices=("none", "starttls", "tls"),
    )
    smtp_user: str = setting("", "user name at the mail server; empty to send without one")
    smtp_password: str = setting("", "password of that user", secret=True)
    smtp_sender: str = setting("", "whom mail comes from, such as OpenCode <code@example.org>")
    mail_digest_hour: int = setting(7, "hour of the day, in UTC, at which daily mails leave", minimum=0, maximum=23)

    @property
    def mails(self) -> bool:
        """This server sends mail."""
        return bool(self.smtp_host)

    def __post_init__(self) -> None:
        problems: list[str] = []
        if self.smtp_host and not sender_of(self.smtp_sender):
            problems.append("smtp_host is set, but smtp_sender is no address such as OpenCode <code@example.org>")
        if bool(self.smtp_user) != bool(self.smtp_password):
            problems.append("smtp_user and smtp_password go together: set both, or neither")
        if self.smtp_password and self.smtp_security == "none":
            problems.append("smtp_security is none: smtp_password would travel in the clear; use starttls or tls")
        if problems:
            raise SettingsError(problems)


def sender_of(text: str) -> tuple[str, str] | None:
    """The name, which may be empty, and the address of a sender; None when it is none."""
    name, address = parseaddr(text)
    is_address = re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", address)
    return (name, address) if is_address and text.isprintable() else None
