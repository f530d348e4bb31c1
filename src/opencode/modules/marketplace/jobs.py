"""Timed work."""

from opencode.infra.jobs import Job
from opencode.modules.marketplace.service.catalogue import Catalogue
from opencode.modules.marketplace.service.counting import TELL_EVERY, Counting
from opencode.modules.marketplace.service.tidying import Tidying

TIDY_EVERY_S = 600.0
SETTLE_EVERY_S = 30.0


def jobs(counting: Counting, tidying: Tidying, catalogue: Catalogue) -> list[Job]:
    return [
        Job("tell how projects stand", TELL_EVERY.total_seconds(), counting.tell_rest),
        Job("bring the orders of the catalogue in shape", SETTLE_EVERY_S, catalogue.settle),
        Job("tidy the marketplace", TIDY_EVERY_S, tidying.tidy),
    ]
