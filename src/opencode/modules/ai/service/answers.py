"""
Answers that are given again to the very same request: of the same people, to the same model, with the same parameters,
under the same configuration. Whole answers that are asked for at the same moment are asked for once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, TypeVar

import msgspec

from opencode.infra.cache import Kept, MemoryShelf, Shelf
from opencode.kernel.clock import Clock
from opencode.modules.ai.domain.configuration.model import AnswerCache
from opencode.modules.ai.domain.dialects.canonical import Dialect
from opencode.modules.ai.domain.dialects.envelope import Envelope
from opencode.modules.ai.service.callers import Known

LARGEST_SHARE = 8
"""One answer may take the eighth part of what is kept."""

T = TypeVar("T")


class KeptAnswer(msgspec.Struct, frozen=True, array_like=True):
    """An answer as it was sent. A stream is kept whole."""

    model: str
    media_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class _Shelves:
    policy: AnswerCache
    near: MemoryShelf


class Answers:
    def __init__(self, clock: Clock, shared: Shelf | None) -> None:
        """Args: shared: of all processes; None without Redis."""
        self._clock = clock
        self._shared = shared
        self._shelves: _Shelves | None = None
        self._flights: dict[str, asyncio.Future[Any]] = {}

    def key(self, envelope: Envelope, by: Known) -> str:
        """Of a request."""
        return key_of("ai.answer", envelope.dialect, by, _parts(envelope.fields))

    async def kept(self, key: str, policy: AnswerCache) -> KeptAnswer | None:
        """What is kept under a key."""
        found = await self._near(policy).get(key)
        now_s = self._clock.timestamp()
        if found is None and self._shared:
            found = await self._shared.get(key)
            if found and found.fresh_until > now_s:
                near = msgspec.structs.replace(found, stamp=0)
                await self._near(policy).put(key, near, for_s=found.fresh_until - now_s)
        if found is None or found.fresh_until <= now_s:
            return None
        return msgspec.msgpack.decode(found.value, type=KeptAnswer)

    async def keep(self, key: str, answer: KeptAnswer, policy: AnswerCache) -> None:
        """Keep an answer, unless it is too large."""
        if len(answer.body) * LARGEST_SHARE > policy.most_bytes:
            return
        until_s = self._clock.timestamp() + policy.lifetime_s
        kept = Kept(msgspec.msgpack.encode(answer), (), 0, until_s, until_s)
        await self._near(policy).put(key, kept, for_s=policy.lifetime_s)
        # Without a stamp nothing can be kept there now; with one it may be.
        if self._shared and (stamp := await self._shared.stamp()) is not None:
            await self._shared.put(key, msgspec.structs.replace(kept, stamp=stamp), for_s=policy.lifetime_s)

    async def once(self, key: str, make: Callable[[], Awaitable[T]]) -> tuple[T, bool]:
        """
        An answer that is made once for all who ask for it meanwhile, and whether somebody else had it made. What goes
        wrong reaches all of them; whoever has it made and goes away leaves that to the next.

        Raises:
            Whatever `make` raises.
        """
        while flight := self._flights.get(key):
            try:
                return await asyncio.shield(flight), True
            except asyncio.CancelledError:
                if not flight.cancelled():
                    raise
        flight = self._flights[key] = asyncio.get_running_loop().create_future()
        try:
            made = await make()
        except asyncio.CancelledError:
            flight.cancel()
            raise
        except BaseException as error:
            flight.set_exception(error)
            flight.exception()  # where nobody waits, it is not lost
            raise
        else:
            flight.set_result(made)
            return made, False
        finally:
            del self._flights[key]

    def _near(self, policy: AnswerCache) -> MemoryShelf:
        if self._shelves is None or self._shelves.policy != policy:
            self._shelves = _Shelves(policy, MemoryShelf(policy.most_bytes))
        return self._shelves.near


def key_of(kind: str, dialect: Dialect, by: Known, parts: Iterable[bytes]) -> str:
    """
    What is the same for the same parts of a request, of the same people only. Another configuration makes it another
    one, since a request may lead elsewhere then; limits do not.
    """
    tenant = by.caller.teams[0] if by.caller.teams else by.caller.user_id
    # A key may have a list of models of its own: what others are answered may be of none that it may ask.
    allowed = msgspec.json.encode(by.allowance.lists)
    whole = blake2b(digest_size=24)
    for part in (tenant.encode(), by.snapshot.answers_digest.encode(), dialect.value.encode(), allowed, *parts):
        whole.update(b"%d:%b" % (len(part), part))
    return f"{kind}.{whole.hexdigest()}"


def _parts(fields: Mapping[str, msgspec.Raw]) -> list[bytes]:
    """The fields of a request in one order, whatever order they came in."""
    return [part for name in sorted(fields) for part in (name.encode(), bytes(fields[name]))]
