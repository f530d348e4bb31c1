"""
Somebody who answers: one deployment after the other, again where that may help, until content begins.

At each stage the deployments are asked in rounds: every one of them once before any of them again. Moving on costs a
provider that is down nothing; asking it again does, so that only this takes from its budget of retries.
"""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence

from opencode.infra.observability import metrics
from opencode.kernel.backoff import delay_s
from opencode.modules.ai.domain.asking import AskingFailed
from opencode.modules.ai.domain.balancing import in_order
from opencode.modules.ai.domain.calls import Tries
from opencode.modules.ai.domain.dialects.canonical import Failure, FailureKind
from opencode.modules.ai.domain.dialects.exchange import Exchange
from opencode.modules.ai.domain.registry import Deployment
from opencode.modules.ai.domain.retrying import may_go_elsewhere, may_try_again
from opencode.modules.ai.domain.routing import Stage
from opencode.modules.ai.service.fleet import Fleet
from opencode.modules.ai.service.trying import Begun, Trying

Headers = Mapping[str, str]


class Reaching:
    def __init__(
        self,
        fleet: Fleet,
        trying: Trying,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        chance: random.Random | None = None,
    ) -> None:
        self._fleet = fleet
        self._trying = trying
        self._sleep = sleep
        self._chance = chance or random.Random()  # noqa: S311 - spreads load

    async def begin(self, exchange: Exchange, stages: Sequence[Stage], headers: Headers, tries: Tries) -> Begun:
        """
        Args:
            tries: is told of each one; whoever gives up meanwhile can read there how far it came.

        Raises:
            AskingFailed: nobody answers; with what the last one said.
            RequestNotUnderstoodError
        """
        failed = AskingFailed(Failure(FailureKind.OVERLOADED, "No provider can be asked now."))
        for number, stage in enumerate(stages):
            tries.fell_back = number > 0
            try:
                return await self._at(stage, exchange, headers, tries)
            except AskingFailed as error:
                failed = error
                if not may_go_elsewhere(error.failure):
                    break
        raise failed

    async def _at(self, stage: Stage, exchange: Exchange, headers: Headers, tries: Tries) -> Begun:
        left = list(in_order(stage.route, self._fleet.load_of, self._chance))
        failed: AskingFailed | None = None
        for attempt in itertools.count(1):
            free = [each for each in left if not self._fleet.wait_s(each)]
            if not free and failed is None:
                raise AskingFailed(self._all_rest(left))
            for place, deployment in enumerate(free):
                if attempt > 1 and not self._may_retry(deployment):
                    left.remove(deployment)
                    continue
                tries.asked += 1
                try:
                    return await self._ask(stage, exchange, free[place:], headers)
                except AskingFailed as error:
                    failed = error
                    if not may_go_elsewhere(error.failure):
                        raise
                    if not may_try_again(error.failure, deployment.upstream.retries.longest_wait_s):
                        left.remove(deployment)
            left = [each for each in left if self._is_worth_a_wait(each, attempt)]
            if not left:
                break
            await self._sleep(self._wait_s(left, attempt))
        raise failed or AskingFailed(self._all_rest(stage.route.deployments))

    async def _ask(self, stage: Stage, exchange: Exchange, free: Sequence[Deployment], headers: Headers) -> Begun:
        """Ask the first of those that are free; where that is wanted, the second one as well."""
        if (after_s := stage.route.hedge_after_s) and len(free) > 1:
            return await self._hedged(exchange, free[0], free[1], after_s, headers)
        return await self._trying.once(exchange, free[0], headers)

    def _is_worth_a_wait(self, deployment: Deployment, attempt: int) -> bool:
        policy = deployment.upstream.retries
        return attempt < policy.attempts and self._fleet.wait_s(deployment) <= policy.longest_wait_s

    def _may_retry(self, deployment: Deployment) -> bool:
        if not self._fleet.may_retry(deployment.upstream):
            return False
        metrics.AI_RETRIES.labels(deployment.upstream.name).inc()
        return True

    def _wait_s(self, left: Sequence[Deployment], attempt: int) -> float:
        """Until the next round: longer each time, and no shorter than the first of them wants."""
        policy = left[0].upstream.retries
        wait_s = delay_s(attempt, self._chance.random(), first_s=policy.first_wait_s, longest_s=policy.longest_wait_s)
        return max(wait_s, min(self._fleet.wait_s(each) for each in left))

    def _all_rest(self, deployments: Sequence[Deployment]) -> Failure:
        wait_s = min(self._fleet.wait_s(each) for each in deployments)
        names = ", ".join(dict.fromkeys(each.upstream.name for each in deployments))
        message = f"The provider {names} fails or is busy, and is left alone for a moment."
        return Failure(FailureKind.OVERLOADED, message, max(wait_s, 1.0))

    async def _hedged(
        self, exchange: Exchange, first: Deployment, second: Deployment, after_s: float, headers: Headers
    ) -> Begun:
        """Ask one, and a second one as well if the first has not begun by then. Whoever begins first answers."""
        waiting = {asyncio.create_task(self._trying.once(exchange, first, headers))}
        everybody = set(waiting)
        try:
            done, _ = await asyncio.wait(waiting, timeout=after_s)
            if not done:
                another = asyncio.create_task(self._trying.once(exchange, second, headers))
                waiting.add(another)
                everybody.add(another)
            while True:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    if task.exception() is None or not waiting:
                        everybody.discard(task)
                        return task.result()
        finally:
            await _give_up(everybody)


async def _give_up(tasks: set[asyncio.Task[Begun]]) -> None:
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(ended, Begun):
            await ended.close()
