"""Limits counted in Redis, for all processes. A module of its own: loading Redis costs the start of a server."""

import asyncio
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from opencode.modules.ai.domain.limits import CALL_LIFETIME_S, CountBound, Counted, Denial, Measure
from opencode.modules.ai.domain.windows import WINDOW_S
from opencode.modules.ai.errors import LimitsUnknown

_AMOUNT_BY = {Measure.REQUESTS: "1", Measure.TOKENS: "tokens", Measure.CALLS: "call"}

# All bounds or none, in one step. A window is a hash of seconds, calls under way are a set ordered by when they stop
# counting. Time is that of Redis: the clocks of several machines differ. Answers the second, or the bound in the way
# (from 1) and how long it is. What is in the way is looked for first, so nothing has to be undone.
_TAKE = """
local now = tonumber(redis.call('TIME')[1])
local worst, worst_wait = 0, 0
for i, key in ipairs(KEYS) do
    local amount, most = ARGV[i * 2 + 1], tonumber(ARGV[i * 2 + 2])
    local wait = 0
    if amount == 'call' then
        redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
        if redis.call('ZCARD', key) >= most then wait = 1 end
    else
        local counted, seconds, total = {}, {}, 0
        local flat = redis.call('HGETALL', key)
        for j = 1, #flat, 2 do
            local second = tonumber(flat[j])
            if second < now - tonumber(ARGV[2]) then
                redis.call('HDEL', key, flat[j])
            else
                table.insert(seconds, second)
                counted[second] = tonumber(flat[j + 1])
                total = total + counted[second]
            end
        end
        local over = total + tonumber(amount) - most
        if over > 0 then
            wait = tonumber(ARGV[2]) + 1
            table.sort(seconds)
            for _, second in ipairs(seconds) do
                over = over - counted[second]
                if over <= 0 then
                    wait = math.max(1, second + tonumber(ARGV[2]) + 1 - now)
                    break
                end
            end
        end
    end
    if wait > worst_wait then worst, worst_wait = i, wait end
end
if worst > 0 then return {worst, worst_wait} end
for i, key in ipairs(KEYS) do
    local amount = ARGV[i * 2 + 1]
    if amount == 'call' then
        redis.call('ZADD', key, now + tonumber(ARGV[#ARGV]), ARGV[1])
        redis.call('EXPIRE', key, ARGV[#ARGV])
    else
        redis.call('HINCRBY', key, now, amount)
        redis.call('EXPIRE', key, tonumber(ARGV[2]) + 2)
    end
end
return {0, now}
"""

# Corrects what is counted in a second, unless that is long ago, and takes calls off.
_END = """
for i, key in ipairs(KEYS) do
    local by = ARGV[i + 2]
    if by == 'call' then
        redis.call('ZREM', key, ARGV[1])
    elseif by ~= '0' and redis.call('HEXISTS', key, ARGV[2]) == 1 then
        redis.call('HINCRBY', key, ARGV[2], by)
    end
end
"""

_RENEW = """
local ends = tonumber(redis.call('TIME')[1]) + tonumber(ARGV[1])
for i, key in ipairs(KEYS) do
    redis.call('ZADD', key, 'XX', ends, ARGV[i + 1])
    redis.call('EXPIRE', key, ARGV[1])
end
"""

_USED = """
local now = tonumber(redis.call('TIME')[1])
local used = {}
for i, key in ipairs(KEYS) do
    used[i] = 0
    if ARGV[i + 1] == 'call' then
        used[i] = redis.call('ZCOUNT', key, '(' .. now, '+inf')
    else
        local flat = redis.call('HGETALL', key)
        for j = 1, #flat, 2 do
            if tonumber(flat[j]) >= now - tonumber(ARGV[1]) then used[i] = used[i] + tonumber(flat[j + 1]) end
        end
    end
end
return used
"""


class RedisLimits:
    """
    `domain.limits.LimitCounters` that all processes share. A call of a process that has died counts as under way for
    two minutes more.
    """

    def __init__(self, client: Redis, *, prefix: str = "opencode:ai:{limits}:") -> None:
        # The braces keep all keys on one node of a cluster, since a script may touch only one.
        self._client = client
        self._prefix = prefix
        self._take = client.register_script(_TAKE)
        self._end = client.register_script(_END)
        self._renew = client.register_script(_RENEW)
        self._ending: set[asyncio.Future[Any]] = set()
        self._used = client.register_script(_USED)

    async def take(self, call_id: int, counts: tuple[CountBound, ...], tokens: int) -> Counted | Denial:
        words: list[str | int] = [call_id, WINDOW_S]
        for bound in counts:
            amount = _AMOUNT_BY[bound.measure]
            words += [tokens if amount == "tokens" else amount, bound.most]
        which, answer = await self._run(self._take, counts, [*words, CALL_LIFETIME_S])
        if which:
            return Denial(counts[which - 1], answer)
        return Counted(call_id, counts, tokens, answer)

    async def settle(self, counted: Counted, tokens: int) -> None:
        changes = {Measure.REQUESTS: 0, Measure.TOKENS: tokens - counted.tokens, Measure.CALLS: "call"}
        await self._finish(counted, changes)

    async def refund(self, counted: Counted) -> None:
        await self._finish(counted, {Measure.REQUESTS: -1, Measure.TOKENS: -counted.tokens, Measure.CALLS: "call"})

    async def renew(self, under_way: Sequence[Counted]) -> None:
        for counted in under_way:
            calls = tuple(bound for bound in counted.counts if bound.measure is Measure.CALLS)
            if calls:
                await self._run(self._renew, calls, [CALL_LIFETIME_S, *[counted.call_id] * len(calls)])

    async def used(self, counts: Sequence[CountBound]) -> list[int]:
        if not counts:
            return []
        return list(await self._run(self._used, counts, [WINDOW_S, *(_AMOUNT_BY[bound.measure] for bound in counts)]))

    async def _finish(self, counted: Counted, changes: dict[Measure, int | str]) -> None:
        by = [changes[bound.measure] for bound in counted.counts]
        # Whoever ends a call may be cancelled: it ends all the same, or it would count as under way for minutes.
        ending = asyncio.ensure_future(self._run(self._end, counted.counts, [counted.call_id, counted.second, *by]))
        self._ending.add(ending)
        ending.add_done_callback(self._ended)
        await asyncio.shield(ending)

    def _ended(self, ending: asyncio.Future[Any]) -> None:
        self._ending.discard(ending)
        if not ending.cancelled():
            ending.exception()  # told to whoever waits, and to nobody where they have gone

    async def _run(self, script: Any, counts: Sequence[CountBound], words: Sequence[str | int]) -> Any:
        if not counts:
            return (0, 0)
        try:
            return await script(keys=[self._prefix + bound.key for bound in counts], args=words)
        except (RedisError, OSError) as error:
            raise LimitsUnknown from error
