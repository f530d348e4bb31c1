"""What can go wrong inside this module. What callers see is in `contracts/execution.py`."""

from opencode.kernel.errors import FieldProblem, Invalid


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
