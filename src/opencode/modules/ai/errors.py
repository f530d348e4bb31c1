"""What can go wrong in AI configuration and the gateway: `ConfigurationNotFound`, `ConfigurationFaulty`."""

from collections.abc import Sequence
from pathlib import Path

from opencode.kernel.errors import Invalid, NotFound


class ConfigurationNotFound(NotFound):
    """A file of the AI configuration cannot be read."""

    title = "The AI configuration cannot be read"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}.", action="Name a file that is there: --config FILE, or OCP_AI_CONFIG.")


class ConfigurationFaulty(Invalid):
    """The AI configuration has mistakes."""

    title = "The AI configuration has mistakes"

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("\n".join(mistakes), action="Correct them; `ocp ai check` looks again.")
