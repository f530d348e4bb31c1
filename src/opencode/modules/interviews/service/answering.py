"""Answers for runs of interviews at the addresses that all runs share."""

from opencode.kernel.principal import Principal
from opencode.modules.interviews.domain.views import RunView
from opencode.modules.interviews.service.running import Running


class KeptRuns:
    """`contracts.execution.RunsElsewhere`: runs of interviews, in the shape that interviews give them."""

    def __init__(self, running: Running) -> None:
        self._running = running

    async def find(self, run_id: str, principal: Principal) -> RunView:
        return RunView.of(await self._running.get(run_id, principal))

    async def stop(self, run_id: str, principal: Principal) -> RunView:
        return RunView.of(await self._running.stop(run_id, principal))
