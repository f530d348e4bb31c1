"""Packages that others would load for no other reason than that they are installed."""

import sys
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def hidden(*packages: str) -> Generator[None]:
    """
    What is imported within does not find these packages, and does without them. What a process has loaded stays in its
    memory for as long as it runs; a package that is already there is therefore left where it is.

    Args:
        packages: that the libraries which are imported within merely can use.
    """
    missing = [name for name in packages if name not in sys.modules]
    # None is what the import system takes for "there is no such module".
    sys.modules.update(dict.fromkeys(missing))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in missing:
            del sys.modules[name]
