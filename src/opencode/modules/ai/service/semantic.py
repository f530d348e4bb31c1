"""
Questions that are merely like one that was answered: which one is nearest, and what was answered to it. Only within the
same people, model, parameters, system prompt and earlier messages; the answers themselves are those of `answers`.

Each process has its own memory of questions. It learns of no question that another process has answered.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from opencode.kernel.clock import Clock
from opencode.modules.ai.domain.breakers import BreakerState
from opencode.modules.ai.domain.configuration.model import AnswerCache, Breaker, SemanticCache
from opencode.modules.ai.domain.dialects.canonical import FailureKind
from opencode.modules.ai.domain.dialects.decoding import AnswerNotUnderstoodError
from opencode.modules.ai.domain.dialects.embeddings.openai import read_answer
from opencode.modules.ai.domain.dialects.exchange import Exchange
from opencode.modules.ai.service.answers import Answers, KeptAnswer, key_of
from opencode.modules.ai.service.callers import Known

if TYPE_CHECKING:
    from opencode.modules.ai.domain.nearness import Direction, Nearness

log = structlog.get_logger(__name__)

_PAUSE = Breaker(failures=1, open_s=10.0)
"""A question that got no vector has cost its patience: the next ones do without for a while, then one finds out."""


class NotEmbedded(Exception):
    """
    There is no vector.

    Attributes:
        kind: of the failure.
        is_tried: a provider was asked in vain; otherwise it was this caller who may not, or whose budget is spent.
    """

    def __init__(self, kind: FailureKind, *, is_tried: bool) -> None:
        super().__init__(kind.value)
        self.kind = kind
        self.is_tried = is_tried


Embed = Callable[[str, str], Awaitable[tuple[str, bytes]]]
"""Takes a model and a text; gives who answered, and the answer of OpenAI's dialect. Raises NotEmbedded."""


@dataclass(frozen=True, slots=True)
class Comparable:
    """A question that may be compared with others. Those of one `bucket` differ in nothing but their text."""

    text: str
    bucket: str


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a question stands among others."""

    bucket: str
    direction: "Direction"


@dataclass(frozen=True, slots=True)
class Like:
    """
    What was answered to a question like it.

    Attributes:
        similarity: the cosine of the two questions.
    """

    answer: KeptAnswer
    similarity: float


@dataclass(frozen=True, slots=True)
class _Memory:
    policy: SemanticCache
    nearness: "Nearness"


class Semantic:
    def __init__(self, clock: Clock, answers: Answers) -> None:
        self._clock = clock
        self._answers = answers
        self._memory: _Memory | None = None
        self._breaker = BreakerState()

    def comparable(self, exchange: Exchange, by: Known, policy: SemanticCache) -> Comparable | None:
        """None for what is answered by the very same question only, if at all."""
        question = exchange.last_question()
        if question is None or len(question.text) > policy.most_characters:
            return None
        return Comparable(question.text, key_of("ai.question", exchange.envelope.dialect, by, question.rest))

    async def place(self, question: Comparable, policy: SemanticCache, embed: Embed) -> Placed | None:
        """Where it stands; None where that cannot be found out in time, for whatever reason."""
        if self._breaker.wait_s(self._now_s()):
            return None
        self._breaker.begin()
        try:
            async with asyncio.timeout(policy.timeout_s):
                model, answer = await embed(policy.embedding_model, question.text)
            vector = read_answer(answer, 1).vectors[0]
        except NotEmbedded as error:
            self._failed(error.kind.value) if error.is_tried else self._breaker.learned_nothing()
            return None
        except TimeoutError:
            self._failed(FailureKind.TIMED_OUT.value)
            return None
        except AnswerNotUnderstoodError as error:
            self._failed(error.failure.kind.value)
            return None
        except asyncio.CancelledError:
            self._breaker.learned_nothing()
            raise
        except Exception:
            log.exception("a question could not be compared with others")
            self._failed("a mistake of ours")
            return None
        self._breaker.succeeded()
        from opencode.modules.ai.domain.nearness import direction_of

        direction = direction_of(vector)
        # Vectors of two models are not to be compared, and an alias may lead to several.
        return None if direction is None else Placed(f"{question.bucket} {model}", direction)

    async def like(self, placed: Placed, policy: AnswerCache) -> Like | None:
        """What was answered to the nearest question that is near enough."""
        if policy.semantic is None:
            return None
        nearness, least = self._nearness(policy.semantic), policy.semantic.least_similarity
        while found := nearness.nearest(placed.bucket, placed.direction, least=least, now_s=self._now_s()):
            if answer := await self._answers.kept(found.key, policy):
                return Like(answer, found.similarity)
            # Its answer has become too old, or had to go.
            nearness.forget(placed.bucket, found.key)
        return None

    def remember(self, placed: Placed, key: str, policy: SemanticCache) -> None:
        """Args: key: of the question's own answer, which has just been kept."""
        self._nearness(policy).put(placed.bucket, key, placed.direction, self._now_s() + policy.lifetime_s)

    def _failed(self, kind: str) -> None:
        self._breaker.failed(self._now_s(), _PAUSE)
        log.warning("questions are not compared with others for a while", reason=kind, pause_s=_PAUSE.open_s)

    def _nearness(self, policy: SemanticCache) -> "Nearness":
        if self._memory is None or self._memory.policy != policy:
            # Loaded only here: a server that compares no questions does without the library.
            from opencode.modules.ai.domain.nearness import Nearness

            self._memory = _Memory(policy, Nearness(policy.most_entries))
        return self._memory.nearness

    def _now_s(self) -> float:
        return self._clock.timestamp()
