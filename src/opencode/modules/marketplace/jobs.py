"""Timed work."""

from opencode.infra.jobs import Job
from opencode.modules.marketplace.service.catalogue import Catalogue
from opencode.modules.marketplace.service.counting import TELL_EVERY, Counting
from opencode.modules.marketplace.service.errands import Errands
from opencode.modules.marketplace.service.files import Files
from opencode.modules.marketplace.service.ordering import Ordering
from opencode.modules.marketplace.service.paying import Paying
from opencode.modules.marketplace.service.proving import Proving
from opencode.modules.marketplace.service.purging import Purging
from opencode.modules.marketplace.service.reputing import Reputing
from opencode.modules.marketplace.service.tidying import Tidying

PAYMENTS_EVERY_S = 60.0
TIDY_EVERY_S = 600.0
SETTLE_EVERY_S = 30.0
KEEP_EVERY_S = 300.0
CHECK_EVERY_S = 600.0
REPUTE_EVERY_S = 3600.0
CLEAR_EVERY_S = 3_600.0
LOOK_EVERY_S = 2.0
PURGE_EVERY_S = 1.0


def jobs(
    counting: Counting,
    tidying: Tidying,
    catalogue: Catalogue,
    ordering: Ordering,
    paying: Paying,
    proving: Proving,
    reputing: Reputing,
    files: Files,
    errands: Errands,
    purging: Purging,
    check_every_s: float,
) -> list[Job]:
    telling = [Job("tell the cache in front what is outdated", PURGE_EVERY_S, purging.tell)]
    return [
        *(telling if purging.is_set_up else ()),
        Job("tell how projects stand", TELL_EVERY.total_seconds(), counting.tell_rest),
        Job("bring the orders of the catalogue in shape", SETTLE_EVERY_S, catalogue.settle),
        Job("keep the index of the catalogue", KEEP_EVERY_S, catalogue.keep),
        Job("let orders that nobody paid expire", PAYMENTS_EVERY_S, ordering.expire),
        Job("look for the orders of early payments", PAYMENTS_EVERY_S, paying.hear_again),
        Job("check proofs of ownership again", CHECK_EVERY_S, proving.check_due),
        Job("compute reputation", REPUTE_EVERY_S, reputing.compute),
        Job("look for what is asked of the catalogue", LOOK_EVERY_S, errands.look),
        Job("compare the catalogue with the database", check_every_s, errands.check_and_mend),
        Job("tidy the marketplace", TIDY_EVERY_S, tidying.tidy),
        Job("delete contents of no file", CLEAR_EVERY_S, files.tidy),
    ]
