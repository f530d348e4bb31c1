"""Timed work."""

from opencode.infra.jobs import Job
from opencode.modules.notifications.service.delivering import Delivering
from opencode.modules.notifications.service.mailing import Mailing
from opencode.modules.notifications.service.tidying import Tidying

TIDY_EVERY_S = 3600.0


SEND_EVERY_S = 1.0


def jobs(tidying: Tidying, mailing: Mailing, delivering: Delivering) -> list[Job]:
    timed = [
        Job("forget old notices", TIDY_EVERY_S, tidying.forget),
        Job("call webhooks of people", SEND_EVERY_S, delivering.deliver_due),
    ]
    if mailing.settings.mails:
        timed.append(Job("send mail", SEND_EVERY_S, mailing.send_due))
    return timed
