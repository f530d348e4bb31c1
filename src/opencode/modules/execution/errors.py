"""
What can go wrong with runs, beside what callers see in `contracts/execution.py`.

    NotFound   RunNotFound
    Conflict   RunUnderWay · RunKeyReused
    Busy       QueueFull · TooManyRunStreams
    Invalid    JobRefused

    SandboxUnavailable   ServerUnreachable

`RuntimeFileError` is a fault of the installation and reaches nobody who calls.
"""

from opencode.contracts.execution import SandboxUnavailable
from opencode.kernel.errors import Busy, Conflict, FieldProblem, Invalid, NotFound


class RuntimeFileError(Exception):
    """A file under `runtimes/` does not say what a runtime file must say. A fault of the installation."""


class JobRefused(Invalid):
    """A request in the Piston dialect has wrong fields; it is answered in that dialect, see docs/piston.md."""

    title = "The job was refused"

    def __init__(self, problems: tuple[FieldProblem, ...], nearest: tuple[str, ...] | None = None) -> None:
        """
        Args:
            problems: at least one, in the order in which Piston looks.
            nearest: languages that may have been meant; None when the language is not what is wrong.
        """
        super().__init__(problems[0].detail, problems=problems)
        self.nearest = nearest


class RunNotFound(NotFound):
    """No such run, or it is somebody else's: both read the same."""

    title = "The run was not found"

    def __init__(self, run_id: str) -> None:
        super().__init__(f"There is no run {run_id[:60]} that you may see.", action="List your runs: GET /api/v1/runs.")


class RunUnderWay(Conflict):
    """A run that is queued or running cannot be deleted."""

    title = "The run is under way"

    def __init__(self, run_id: str, state: str) -> None:
        super().__init__(f"Run {run_id} is {state}, so it cannot be deleted.", action="Stop it first.")


class RunKeyReused(Conflict):
    """An `Idempotency-Key` came again with another run."""

    title = "The key was used before"

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key was used for a different run within the last 24 hours.",
            action="Make a new key for a new run.",
        )


class QueueFull(Busy):
    """As many runs as the server takes are queued or running."""

    title = "The queue is full"

    def __init__(self, whose: str, limit: int, retry_after_s: int) -> None:
        super().__init__(
            f"{limit} runs{whose} are queued or running, which is the most.",
            action="Wait for some of them to finish, then try again.",
            retry_after_s=retry_after_s,
        )


class TooManyRunStreams(Busy):
    """One account holds as many event streams of runs open as the server allows."""

    title = "Too many event streams"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"You have {limit} event streams of runs open, which is the most.",
            action="Close one, or ask for the run itself: GET /api/v1/runs/{id}.",
            retry_after_s=10,
        )


class ServerUnreachable(SandboxUnavailable):
    """A server that runs are sent to cannot be reached. Nothing was run, so that another may be asked."""

    title = "A server cannot be reached"

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name} cannot be reached: {why}.", action="Try again; if it stays, tell the operator.")


class OurFault(Exception):
    """An attempt of a run failed, and not by the program: it begins anew. Reaches nobody who calls."""
