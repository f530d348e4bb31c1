"""What travels over a `connect` socket. The first word of each message is its `type`."""

import signal

import msgspec

from opencode.contracts.execution import Stage, Stream, Verdict


class RuntimeMessage(msgspec.Struct, frozen=True, tag_field="type", tag="runtime"):
    """Which runtime was chosen: the first message of every job."""

    language: str
    version: str


class StageMessage(msgspec.Struct, frozen=True, tag_field="type", tag="stage"):
    """A stage begins."""

    stage: Stage


class DataMessage(msgspec.Struct, frozen=True, tag_field="type", tag="data"):
    """Something was printed."""

    stream: Stream
    data: str


class ExitMessage(msgspec.Struct, frozen=True, tag_field="type", tag="exit"):
    """A stage has ended. The last five keys are ours; they mean what they mean in an answer of `execute`."""

    stage: Stage
    code: int | None
    signal: str | None
    status: str | None
    cpu_time: int
    wall_time: int
    memory: int | None
    verdict: Verdict | msgspec.UnsetType = msgspec.UNSET


class ErrorMessage(msgspec.Struct, frozen=True, tag_field="type", tag="error"):
    """Why the socket will be closed. The last two keys are ours; see `ErrorAnswer`."""

    message: str
    errors: list[dict[str, str]] | msgspec.UnsetType = msgspec.UNSET
    nearest: list[str] | msgspec.UnsetType = msgspec.UNSET


ServerMessage = RuntimeMessage | StageMessage | DataMessage | ExitMessage | ErrorMessage

ALREADY_INITIALIZED = (4000, "Already Initialized")
INITIALIZATION_TIMEOUT = (4001, "Initialization Timeout")
NOTIFIED_ERROR = (4002, "Notified Error")
NOT_YET_INITIALIZED = (4003, "Not yet initialized")
ONLY_STDIN = (4004, "Can only write to stdin")
INVALID_SIGNAL = (4005, "Invalid signal")
JOB_COMPLETED = (4999, "Job Completed")
TOO_SLOW = (1013, "This connection reads too slowly.")

# As `kill -l` lists them on Linux: 31 with names of their own, and 31 counted from either end of the real-time ones.
_LAST = signal.SIGRTMAX - signal.SIGRTMIN
SIGNALS: dict[str, str] = {
    **{each.name: each.name for each in signal.Signals},
    **{f"SIGRTMIN+{number}": f"SIGRTMIN+{number}" for number in range(1, 16)},
    **{f"SIGRTMAX-{number}": f"SIGRTMIN+{_LAST - number}" for number in range(1, 15)},
}
"""The signals that a client may send, and what our runs call them."""
