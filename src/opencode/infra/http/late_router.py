"""The routes of a module, put together only where they are served."""

from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Router
from litestar.di import Provide
from litestar.types import ControllerRouterHandler
from litestar.types.internal_types import RouteHandlerMapItem


class LateRouter(Router):
    """
    A router that registers its handlers once it becomes part of an application. Commands and workers, which are built
    of the same modules as a server, never need that, and it takes longer than all else in building a module.

    Args:
        handlers: as for `Router`.
        more: what else `Router` takes.
    """

    def __init__(
        self,
        path: str,
        handlers: Sequence[ControllerRouterHandler],
        dependencies: Mapping[str, Provide],
        **more: Any,
    ) -> None:
        super().__init__(path, route_handlers=[], dependencies=dependencies, **more)
        self.handlers = tuple(handlers)
        self._waiting = self.handlers

    @property
    def route_handler_method_map(self) -> dict[str, RouteHandlerMapItem]:
        """What an application asks for when it takes the router in."""
        waiting, self._waiting = self._waiting, ()
        for handler in waiting:
            self.register(handler)
        return super().route_handler_method_map
