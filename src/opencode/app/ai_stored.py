"""What the database has of the AI configuration, for commands that look at it without a server."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError

from opencode.app.settings import Settings
from opencode.kernel.errors import OpenCodeError
from opencode.modules.ai.domain.setting import Whose, said_by
from opencode.modules.ai.service.configuring import Stored


@dataclass(frozen=True, slots=True)
class Looked:
    """
    Attributes:
        limits: of persons, teams and everybody.
        unreadable: providers whose keys cannot be opened, with the reason.
        note: why there may be more than was found; empty when all was.
    """

    providers: Stored
    unreadable: dict[str, str]
    note: str = ""
    limits: Mapping[Whose, Mapping[str, object]] = field(default_factory=dict[Whose, Mapping[str, object]])


NONE_STORED = Looked({}, {})


def stored_providers(settings: Settings, *, opened: bool) -> Looked:
    """
    What administrators have added. A database that is not there, or not of this version yet, has none.

    Args:
        opened: with their keys; otherwise only that there are some.
    """
    if not settings.process.database_url and not (settings.process.data / "opencode.db").exists():
        return NONE_STORED
    return asyncio.run(_look(settings, opened=opened))


async def _look(settings: Settings, *, opened: bool) -> Looked:
    from opencode.app.migrate import pending
    from opencode.app.wiring import open_database
    from opencode.modules.ai.module import build_storing
    from opencode.modules.ai.service.storing import masked

    database = open_database(settings)
    try:
        if await pending(database):
            return Looked({}, {}, "the database is of an earlier version; ocp migrate brings it up to date")
        storing = build_storing(database, settings.ai, settings.process.data)
        stored, limits = await storing.all(), said_by(await storing.limits())
        if not opened:
            return Looked(masked(stored), {}, limits=limits)
        layer = storing.layer_of(stored)
        return Looked(layer.providers, layer.unreadable, limits=limits)
    except OpenCodeError as error:
        return Looked({}, {}, error.detail.rstrip("."))
    except (OSError, SQLAlchemyError) as error:
        return Looked({}, {}, f"the database does not answer ({type(error).__name__})")
    finally:
        await database.close()


def rotate_key(settings: Settings) -> tuple[str, int]:
    """
    Put a new key first and seal everything with it. Returns its id, and how many providers were sealed anew.

    Raises:
        SealBroken: the key file is not good.
    """
    return asyncio.run(_rotate(settings))


async def _rotate(settings: Settings) -> tuple[str, int]:
    from opencode.app.migrate import migrate
    from opencode.app.wiring import open_database
    from opencode.modules.ai.module import build_storing

    database = open_database(settings)
    try:
        await migrate(database)
        storing = build_storing(database, settings.ai, settings.process.data)
        key_id = storing.keyring.add_key()
        return key_id, await storing.reseal()
    finally:
        await database.close()
