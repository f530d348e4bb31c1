"""What all use cases of queued runs share: their transactions, their queue, and who may see a run."""

from contextlib import AbstractAsyncContextManager

from opencode.contracts.execution import CodeRunner
from opencode.infra.plugs import Parts
from opencode.kernel.errors import Unauthenticated
from opencode.kernel.ids import is_id
from opencode.kernel.principal import Principal, PrincipalKind
from opencode.modules.execution.domain.queue import RunQueue
from opencode.modules.execution.domain.runs import Run
from opencode.modules.execution.settings import ExecutionSettings
from opencode.modules.execution.store import ExecutionWork, Stores, reading

TO_RUN = "runs:create"


class UseCases:
    """Base of the use cases."""

    def __init__(self, parts: Parts, settings: ExecutionSettings, runner: CodeRunner, queue: RunQueue) -> None:
        self.parts = parts
        self.clock = parts.clock
        self.settings = settings
        self.runner = runner
        self.queue = queue

    def unit_of_work(self) -> ExecutionWork:
        return ExecutionWork(self.parts)

    def reading(self) -> AbstractAsyncContextManager[Stores]:
        return reading(self.parts.database)

    async def own(self, stores: Stores, run_id: str, by: Principal) -> Run | None:
        """
        A run of this person's; None when there is none, or it is somebody else's.

        Raises:
            Unauthenticated: nobody is signed in; said whatever exists.
            Forbidden: the token's scopes are too narrow.
        """
        if by.kind is PrincipalKind.ANONYMOUS:
            raise Unauthenticated("This needs you to be signed in, or to have joined.", action="Sign in.")
        run = await stores.runs.find(run_id) if is_id(run_id, "run") else None
        if run is None or run.owner_id != by.id:
            return None
        by.require(TO_RUN)
        return run
