"""The models that somebody may use, as each dialect lists them."""

from datetime import UTC, datetime
from typing import Any

from opencode import __version__
from opencode.modules.ai.domain.configuration.model import Capability
from opencode.modules.ai.domain.dialects.canonical import Dialect
from opencode.modules.ai.domain.dialects.decoding import NotJsonError, decoded, encoded
from opencode.modules.ai.domain.dialects.envelope import read_envelope
from opencode.modules.ai.domain.models import ModelFacts
from opencode.modules.ai.domain.usage import tokens_of_request
from opencode.modules.ai.errors import ModelUnknown
from opencode.modules.ai.service.callers import Known

_CREATED = datetime(2026, 1, 1, tzinfo=UTC)
"""Clients want a time for each model; nobody knows one."""


class Catalogues:
    def openai(self, by: Known, name: str = "") -> bytes:
        """
        Args:
            name: of the only one; empty for all.

        Raises:
            ModelUnknown
        """
        if name:
            return encoded(_as_openai(_one(by, name)[0]))
        return encoded({"object": "list", "data": [_as_openai(each) for each in _usable(by)]})

    def anthropic(self, by: Known, name: str = "") -> bytes:
        """
        Args:
            name: of the only one; empty for all.

        Raises:
            ModelUnknown
        """
        if name:
            return encoded(_as_anthropic(_one(by, name)[0]))
        models = [_as_anthropic(each) for each in _usable(by)]
        first, last = (models[0]["id"], models[-1]["id"]) if models else (None, None)
        return encoded({"data": models, "has_more": False, "first_id": first, "last_id": last})

    def anthropic_tokens(self, by: Known, body: bytes) -> bytes:
        """
        `/v1/messages/count_tokens`: about how many tokens a request has, rather too many than too few. Clients ask it
        before they ask the model, to know whether the window suffices.

        Raises:
            ModelUnknown
            RequestNotUnderstoodError
        """
        _one(by, read_envelope(Dialect.ANTHROPIC, body).model)
        return encoded({"input_tokens": tokens_of_request(body)})

    def ollama(self, by: Known) -> bytes:
        """`/api/tags`."""
        return encoded({"models": [_as_ollama(name, facts) for name, facts in _usable(by).items()]})

    def ollama_model(self, by: Known, body: bytes) -> bytes:
        """
        `/api/show`.

        Raises:
            ModelUnknown
        """
        try:
            asked = decoded(body, dict[str, Any])
        except NotJsonError:
            asked = {}
        named = asked.get("model") or asked.get("name")
        name, facts = _one(by, named if isinstance(named, str) else "")
        known = {Capability.CHAT: "completion", Capability.EMBEDDINGS: "embedding", Capability.REASONING: "thinking"}
        capabilities = facts.capabilities or frozenset({Capability.CHAT})
        told = [
            known.get(each, each.value) for each in sorted(capabilities) if each is not Capability.STRUCTURED_OUTPUT
        ]
        info: dict[str, Any] = {"general.architecture": "opencode", "general.basename": name}
        if facts.context_window:
            info["opencode.context_length"] = facts.context_window
        return encoded(
            {**_as_ollama(name, facts), "model_info": info, "capabilities": told, "template": "", "parameters": ""}
        )

    def version(self) -> bytes:
        """`/api/version`."""
        return encoded({"version": __version__})


def _usable(by: Known) -> dict[str, ModelFacts]:
    """Aliases first: they are what people have named."""
    registry = by.snapshot.registry
    found: dict[str, ModelFacts] = {}
    for alias in registry.aliases:
        targets = registry.targets(alias)
        if targets and by.allowance.covers(alias, targets):
            found[alias] = registry.facts_of(targets[0])
    found.update({each.name: each.facts for each in registry.deployments if by.allowance.covers(each.name)})
    return found


def _one(by: Known, name: str) -> tuple[str, ModelFacts]:
    usable = _usable(by)
    if name in usable:
        return name, usable[name]
    if f"{name}:latest" in usable:
        return f"{name}:latest", usable[f"{name}:latest"]
    # For its words; it knows also what providers have not listed yet.
    route = by.snapshot.registry.resolve(name, may_see=by.allowance.covers)
    if not by.allowance.covers(name):
        raise ModelUnknown(name, ())
    return name, route.deployments[0].facts


def _as_openai(name: str) -> dict[str, Any]:
    owner = name.partition("/")[0] if "/" in name else "opencode"
    return {"id": name, "object": "model", "created": int(_CREATED.timestamp()), "owned_by": owner}


def _as_anthropic(name: str) -> dict[str, Any]:
    created = _CREATED.isoformat().replace("+00:00", "Z")
    return {"type": "model", "id": name, "display_name": name, "created_at": created, "lifecycle": "active"}


def _as_ollama(name: str, facts: ModelFacts) -> dict[str, Any]:
    family = name.partition("/")[0]
    details = {"format": "", "family": family, "families": [family], "parameter_size": "", "quantization_level": ""}
    created = _CREATED.isoformat().replace("+00:00", "Z")
    return {"name": name, "model": name, "modified_at": created, "size": 0, "digest": "", "details": details}
