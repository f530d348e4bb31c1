"""What can go wrong inside this module. What callers see is in `contracts/execution.py`."""


class RuntimeFileError(Exception):
    """A file under `runtimes/` does not say what a runtime file must say. A fault of the installation."""
