"""Models as people see them."""

import msgspec

from opencode.modules.ai.domain.configuration.model import Capability, ModelPrice
from opencode.modules.ai.domain.health import HealthState
from opencode.modules.ai.service.models import ModelShown


class ModelPriceView(msgspec.Struct):
    """US dollars for a million tokens."""

    input_usd: float
    output_usd: float
    cached_input_usd: float | None
    cache_write_usd: float | None

    @classmethod
    def of(cls, price: ModelPrice) -> "ModelPriceView":
        return cls(price.input, price.output, price.cached_input, price.cache_write)


class ModelView(msgspec.Struct):
    """What is not known is null. `targets` are what an alias stands for; its facts are those of the first."""

    name: str
    is_alias: bool
    targets: list[str]
    is_default: bool
    state: HealthState
    context_window: int | None
    max_output_tokens: int | None
    capabilities: list[Capability] | None
    price: ModelPriceView | None

    @classmethod
    def of(cls, shown: ModelShown) -> "ModelView":
        facts = shown.facts
        return cls(
            name=shown.name,
            is_alias=bool(shown.targets),
            targets=list(shown.targets),
            is_default=shown.is_default,
            state=shown.state,
            context_window=facts.context_window,
            max_output_tokens=facts.max_output_tokens,
            capabilities=None if facts.capabilities is None else sorted(facts.capabilities),
            price=ModelPriceView.of(facts.price) if facts.price else None,
        )
