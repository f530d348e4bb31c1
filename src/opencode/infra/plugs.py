"""What the app hands to every module, and the plug that it gets back: the two sides of one shape."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from litestar.types import ControllerRouterHandler

from opencode.infra.cache import Cache
from opencode.infra.db import Database
from opencode.infra.events import Reactions
from opencode.infra.html import PageAddress, PageOffer
from opencode.infra.http.direct import FindDirect
from opencode.infra.jobs import Job
from opencode.infra.pubsub import PubSub
from opencode.infra.security import RateLimiter, Signer
from opencode.kernel.clock import Clock

Hook = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Parts:
    """
    What every module is given.

    Attributes:
        wake_relay: to be called after a commit that published events; `UnitOfWork` takes it.
        public_url: where people reach this server, without a slash at the end; known once it listens.
    """

    database: Database
    clock: Clock
    pubsub: PubSub
    cache: Cache
    limiter: RateLimiter
    signer: Signer
    wake_relay: Callable[[], None]
    public_url: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Plug:
    """
    Everything that the app needs to know of a module.

    Attributes:
        name: the module's name, as `--modules` takes it.
        routes: Litestar routers and handlers.
        direct: who answers a request without the framework; None where the framework does.
        react: adds the module's reactions to events of others.
        pages: the public page at an address; None where the module has none.
        jobs: timed work.
        checks: name of a health check -> a call that raises when something is wrong.
        notices: what does less than it could, and why, as far as is known; it keeps nobody from working.
        start: before the first request; the database is migrated by then.
        ready: once the server listens.
        drain: on SIGTERM, while answers may still be sent: tell long connections to come back.
        stop: after the last request.
    """

    name: str
    routes: Sequence[ControllerRouterHandler] = ()
    direct: FindDirect = lambda _scope: None
    react: Callable[[Reactions], None] = lambda _reactions: None
    pages: Callable[[PageAddress], PageOffer | None] = lambda _address: None
    jobs: Sequence[Job] = ()
    checks: dict[str, Hook] = field(default_factory=dict[str, Hook])
    notices: Callable[[], dict[str, str]] = dict
    start: Hook | None = None
    ready: Hook | None = None
    drain: Hook | None = None
    stop: Hook | None = None
