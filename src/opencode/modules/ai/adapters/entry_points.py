"""Python objects that answer in place of a server; a `custom` provider names one as `package.module:name`."""

import importlib
import inspect
from typing import Any

from opencode.modules.ai.errors import EntryPointFaulty


def load_entry_point(entry_point: str) -> Any:
    """
    The object, which has `async def chat(request)` that yields events.

    Raises:
        EntryPointFaulty: it is not installed, fails while it is loaded, or has no such method.
    """
    module_name, _, name = entry_point.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise EntryPointFaulty(entry_point, f"is not installed: there is no module {error.name}") from error
    except Exception as error:
        raise EntryPointFaulty(entry_point, f"fails while it is loaded ({type(error).__name__}: {error})") from error
    found = getattr(module, name, None)
    if found is None:
        raise EntryPointFaulty(entry_point, f"is not there: {module_name} has no {name}")
    chat = getattr(found, "chat", None)
    if not inspect.isasyncgenfunction(chat):
        raise EntryPointFaulty(entry_point, "has no `async def chat(request)` that yields events")
    return found
