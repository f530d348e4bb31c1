"""Whether this process can do its work."""

import asyncio

from opencode.app.wiring import House
from opencode.infra.plugs import Hook

CHECK_TIMEOUT_S = 3.0


class Checks:
    """The health checks of all modules, and the database's."""

    def __init__(self, house: House) -> None:
        self._checks: dict[str, Hook] = {"database": house.parts.database.ping}
        self._notices = [plug.notices for plug in house.plugs]
        for plug in house.plugs:
            self._checks.update(plug.checks)

    def impaired(self) -> dict[str, str]:
        """What does less than it could, and why, while all that is needed works."""
        return {name: why for notices in self._notices for name, why in notices().items()}

    async def failing(self) -> dict[str, str]:
        """What fails, and why, in words; empty when all is well. A check that does not answer fails."""
        names = list(self._checks)
        answers = await asyncio.gather(*(self._ask(name) for name in names))
        return {name: answer for name, answer in zip(names, answers, strict=True) if answer}

    async def _ask(self, name: str) -> str | None:
        try:
            await asyncio.wait_for(self._checks[name](), CHECK_TIMEOUT_S)
        except TimeoutError:
            return f"no answer within {CHECK_TIMEOUT_S:.0f} s"
        except Exception as error:
            return str(error) or type(error).__name__
        return None
