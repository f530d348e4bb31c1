"""uvicorn, as everything that we serve uses it."""

import signal
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn


class OrderlyServer(uvicorn.Server):
    """
    Ends with status 0 after an orderly stop. uvicorn's own raises the signal again, so that the status would never
    be 0.
    """

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
