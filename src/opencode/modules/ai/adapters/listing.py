"""What providers answer when they are asked for their models, in each dialect."""

from collections.abc import Callable, Iterable
from typing import Any, cast

from opencode.modules.ai.domain.configuration.model import Capability, Dialect
from opencode.modules.ai.domain.models import DiscoveredModel, ModelFacts

MOST_MODELS = 5_000
_LONGEST_NAME = 200
_MOST_TOKENS = 1_000_000_000
_CONTEXT_KEYS = ("context_length", "max_model_len", "context_window", "max_input_tokens")
"""Where servers say how much a model reads: OpenRouter and Together, vLLM, Groq, Anthropic."""
_OLLAMA_CAPABILITIES = {
    "completion": Capability.CHAT,
    "embedding": Capability.EMBEDDINGS,
    "tools": Capability.TOOLS,
    "vision": Capability.VISION,
    "thinking": Capability.REASONING,
}

PATHS = {Dialect.OPENAI: "/models", Dialect.ANTHROPIC: "/v1/models?limit=1000", Dialect.OLLAMA: "/api/tags"}


def models_of(dialect: Dialect, answer: object) -> tuple[DiscoveredModel, ...] | None:
    """The models of an answer, at most 5,000; None when it is not one of this dialect."""
    if not isinstance(answer, dict):
        return None
    key = "models" if dialect is Dialect.OLLAMA else "data"
    items = cast("dict[str, Any]", answer).get(key)
    if not isinstance(items, list):
        return None
    read: Callable[[dict[str, Any]], DiscoveredModel | None] = _tag if dialect is Dialect.OLLAMA else _listed
    entries = (cast("dict[str, Any]", each) for each in cast("list[Any]", items) if isinstance(each, dict))
    return tuple(_once(model for each in entries if (model := read(each))))


def shown_facts(answer: object) -> ModelFacts:
    """What `/api/show` of Ollama tells of a model."""
    if not isinstance(answer, dict):
        return ModelFacts()
    about = cast("dict[str, Any]", answer)
    info, named = about.get("model_info"), about.get("capabilities")
    known = cast("dict[str, Any]", info) if isinstance(info, dict) else {}
    context = _tokens(known.get(f"{known.get('general.architecture')}.context_length"))
    words = cast("list[Any]", named) if isinstance(named, list) else None
    if words is None:
        return ModelFacts(context_window=context)
    capabilities = (_OLLAMA_CAPABILITIES.get(word) for word in words if isinstance(word, str))
    return ModelFacts(context_window=context, capabilities=frozenset(each for each in capabilities if each))


def _listed(entry: dict[str, Any]) -> DiscoveredModel | None:
    name = _name(entry.get("id"))
    context = next((tokens for key in _CONTEXT_KEYS if (tokens := _tokens(entry.get(key)))), None)
    return DiscoveredModel(name, ModelFacts(context_window=context)) if name else None


def _tag(entry: dict[str, Any]) -> DiscoveredModel | None:
    name, digest = _name(entry.get("name") or entry.get("model")), entry.get("digest")
    return DiscoveredModel(name, digest=digest[:100] if isinstance(digest, str) else "") if name else None


def _once(models: Iterable[DiscoveredModel]) -> list[DiscoveredModel]:
    by_name: dict[str, DiscoveredModel] = {}
    for model in models:
        if len(by_name) >= MOST_MODELS:
            break
        by_name.setdefault(model.name, model)
    return list(by_name.values())


def _name(said: object) -> str:
    if not isinstance(said, str) or len(said) > _LONGEST_NAME or not said.isprintable():
        return ""
    # Google lists its models with what kind of resource they are before the name, and takes them without.
    return said.strip().removeprefix("models/")


def _tokens(said: object) -> int | None:
    return said if type(said) is int and 0 < said <= _MOST_TOKENS else None
