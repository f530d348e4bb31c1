"""The queue that all processes of a deployment share, on Redis 7 or Valkey."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from opencode.kernel.errors import Unavailable
from opencode.kernel.ids import RunId
from opencode.modules.execution.domain.queue import Ticket

POLL_S = 1.0
"""How often somebody who waits looks by themselves: for runs whose worker died, and for words that got lost."""

# Who waits stands in a list of their owner; `ring` has the owners in the order of their turns. `known` has every run
# that waits or is held. Runs that are held are entries of the stream `held`, pending for the worker that has them:
# the stream's own list of what is pending, with the time since the last word, is the list of leases.
_PUT = """
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
if redis.call('RPUSH', KEYS[2] .. ':' .. ARGV[2], ARGV[1]) == 1 then redis.call('RPUSH', KEYS[2], ARGV[2]) end
return 1
"""

# First what a dead worker left. XAUTOCLAIM looks at few entries a call, so that it is asked until it has seen all.
_TAKE = """
local group, worker, lease_ms = 'workers', ARGV[1], ARGV[2]
if redis.call('EXISTS', KEYS[3]) == 0 then redis.call('XGROUP', 'CREATE', KEYS[3], group, '0', 'MKSTREAM') end
local cursor = '0'
repeat
  local found = redis.call('XAUTOCLAIM', KEYS[3], group, worker, lease_ms, cursor, 'COUNT', 1)
  local lapsed = found[2][1]
  if lapsed then return {lapsed[1], lapsed[2][2], lapsed[2][4]} end
  cursor = found[1]
until cursor == '0-0'
local owner = redis.call('LPOP', KEYS[2])
if not owner then return nil end
local line = KEYS[2] .. ':' .. owner
local run = redis.call('LPOP', line)
if redis.call('EXISTS', line) == 1 then redis.call('RPUSH', KEYS[2], owner) end
redis.call('XADD', KEYS[3], '*', 'run', run, 'owner', owner)
local entry = redis.call('XREADGROUP', 'GROUP', group, worker, 'COUNT', 1, 'STREAMS', KEYS[3], '>')[1][2][1]
return {entry[1], entry[2][2], entry[2][4]}
"""

# Only whoever holds an entry may prolong or end it. XPENDING with a consumer's name finds nothing of others.
_BEAT = """
for number = 2, #ARGV do
  if #redis.call('XPENDING', KEYS[3], 'workers', ARGV[number], ARGV[number], 1, ARGV[1]) == 1 then
    redis.call('XCLAIM', KEYS[3], 'workers', ARGV[1], 0, ARGV[number], 'JUSTID')
  end
end
"""
_RELEASE = """
if #redis.call('XPENDING', KEYS[3], 'workers', ARGV[2], ARGV[2], 1, ARGV[1]) == 0 then return 0 end
redis.call('XACK', KEYS[3], 'workers', ARGV[2])
redis.call('XDEL', KEYS[3], ARGV[2])
redis.call('HDEL', KEYS[1], ARGV[3])
return 1
"""

_DROP = """
local owner = redis.call('HGET', KEYS[1], ARGV[1])
if not owner then return 0 end
local line = KEYS[2] .. ':' .. owner
if redis.call('LREM', line, 1, ARGV[1]) == 0 then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
if redis.call('EXISTS', line) == 0 then redis.call('LREM', KEYS[2], 1, owner) end
return 1
"""

# As `FairLine.ahead` counts: before turn number `place`, owners in front had one turn more than those behind.
_AHEAD = """
local owner = redis.call('HGET', KEYS[1], ARGV[1])
if not owner then return nil end
local place = redis.call('LPOS', KEYS[2] .. ':' .. owner, ARGV[1])
if not place then return nil end
local ahead, turns = place, place + 1
for _, other in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
  if other == owner then turns = place
  else ahead = ahead + math.min(redis.call('LLEN', KEYS[2] .. ':' .. other), turns) end
end
return ahead
"""


class RedisQueue:
    """
    See `RunQueue`. Everything that changes the queue is one script, so that it is in order whoever dies when. Fairness
    is here and not in the stream, because a stream of waiting runs has one order for ever; only what is held is a
    stream.
    """

    def __init__(self, client: "Redis", *, lease_s: float, prefix: str = "opencode:{runs}") -> None:
        """
        Args:
            lease_s: a worker that was not heard of for so long has lost its runs.
            prefix: begins every key. In a cluster, what is in braces keeps them on one node.
        """
        self._client = client
        self._lease_ms = round(lease_s * 1000)
        self._keys = [f"{prefix}:known", f"{prefix}:ring", f"{prefix}:held"]
        self._topic = f"{prefix}:arrived"
        self._scripts: dict[str, Any] = {}

    @classmethod
    def connect(cls, url: str, *, lease_s: float) -> "RedisQueue":
        """Args: url: `redis://host:6379/0` or `unix:///path`."""
        return cls(Redis.from_url(url), lease_s=lease_s)

    async def put(self, run_id: RunId, owner_id: str) -> None:
        if await self._run(_PUT, run_id, owner_id):
            await self._ask(lambda: self._client.publish(self._topic, b""))

    async def take(self, worker_id: str) -> Ticket:
        # Looked at first: a connection for listening is only needed by who has to wait.
        if ticket := await self._take(worker_id):
            return ticket
        async with self._client.pubsub() as arrived:
            await self._ask(lambda: arrived.subscribe(self._topic))
            while (ticket := await self._take(worker_id)) is None:
                await self._ask(lambda: _next_word(arrived))
            return ticket

    async def beat(self, worker_id: str, tickets: list[Ticket]) -> None:
        if tickets:
            await self._run(_BEAT, worker_id, *(_entry(ticket) for ticket in tickets))

    async def done(self, ticket: Ticket) -> None:
        await self._run(_RELEASE, _worker(ticket), _entry(ticket), ticket.run_id)

    async def give_back(self, ticket: Ticket) -> None:
        if await self._run(_RELEASE, _worker(ticket), _entry(ticket), ticket.run_id):
            await self.put(ticket.run_id, ticket.owner_id)

    async def drop(self, run_id: RunId) -> bool:
        return bool(await self._run(_DROP, run_id))

    async def ahead(self, run_id: RunId) -> int | None:
        return await self._run(_AHEAD, run_id)

    async def size(self) -> int:
        known = await self._ask(lambda: self._client.hlen(self._keys[0]))
        return known - await self._ask(lambda: self._client.xlen(self._keys[2]))

    async def close(self) -> None:
        await self._client.aclose()

    async def _take(self, worker_id: str) -> Ticket | None:
        taken: Sequence[bytes] | None = await self._run(_TAKE, worker_id, self._lease_ms)
        if taken is None:
            return None
        entry, run_id, owner_id = (word.decode() for word in taken)
        return Ticket(RunId(run_id), owner_id, f"{worker_id} {entry}")

    async def _run(self, script: str, *arguments: str | int) -> Any:
        registered = self._scripts.setdefault(script, self._client.register_script(script))
        return await self._ask(lambda: registered(keys=self._keys, args=arguments))

    async def _ask(self, question: Callable[[], Awaitable[Any]]) -> Any:
        """
        Raises:
            Unavailable: Redis does not answer.
        """
        try:
            return await question()
        except (RedisError, OSError) as error:
            raise Unavailable("The queue of runs does not answer.", action="Try again in a moment.") from error


async def _next_word(arrived: Any) -> None:
    """Wait until something arrives, or so long that it is time to look anyway."""
    gives_up_at = asyncio.get_running_loop().time() + POLL_S
    while (left := gives_up_at - asyncio.get_running_loop().time()) > 0:
        if await arrived.get_message(ignore_subscribe_messages=True, timeout=left):
            return


def _worker(ticket: Ticket) -> str:
    return ticket.hold.partition(" ")[0]


def _entry(ticket: Ticket) -> str:
    return ticket.hold.partition(" ")[2]
