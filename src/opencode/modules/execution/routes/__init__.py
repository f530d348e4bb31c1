"""HTTP in: runs of the native API, and the Piston API below `/api/v2` and `/api/v2/piston`."""

from litestar import asgi
from litestar.types import ControllerRouterHandler, Receive, Scope, Send

from opencode.modules.execution.routes.dialect import PREFIX, PistonApi
from opencode.modules.execution.routes.packages import PackageRoutes
from opencode.modules.execution.routes.piston import PistonRoutes
from opencode.modules.execution.routes.runs import NativeRunsController

NATIVE: tuple[ControllerRouterHandler, ...] = (NativeRunsController,)


def piston_routes(programs: PistonRoutes, packages: PackageRoutes) -> tuple[ControllerRouterHandler, ...]:
    """
    The Piston API as a route of the application. It is not in `openapi.json`, which describes the house's own dialect:
    docs/piston.md does.
    """
    api = PistonApi({**programs.handlers, **packages.handlers})

    @asgi(PREFIX, is_mount=True, copy_scope=False)  # the route is named in it, for the metrics
    async def piston(scope: Scope, receive: Receive, send: Send) -> None:
        await api(scope, receive, send)

    return (piston,)
