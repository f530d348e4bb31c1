"""Services and servers that are known by name: address, dialect, and where they look for a key."""

from dataclasses import dataclass

from opencode.modules.ai.domain.configuration.model import Dialect, ProviderType


@dataclass(frozen=True, slots=True)
class Preset:
    """
    Attributes:
        base_url: as its makers publish it.
        has_key: it answers nobody without a key.
    """

    type: ProviderType
    dialect: Dialect
    base_url: str
    has_key: bool = True


def _cloud(base_url: str, dialect: Dialect = Dialect.OPENAI) -> Preset:
    return Preset(ProviderType.CLOUD, dialect, base_url)


def _local(base_url: str, dialect: Dialect = Dialect.OPENAI) -> Preset:
    return Preset(ProviderType.LOCAL, dialect, base_url, has_key=False)


PRESETS = {
    "openai": _cloud("https://api.openai.com/v1"),
    "anthropic": _cloud("https://api.anthropic.com", Dialect.ANTHROPIC),
    "google": _cloud("https://generativelanguage.googleapis.com/v1beta/openai"),
    "mistral": _cloud("https://api.mistral.ai/v1"),
    "groq": _cloud("https://api.groq.com/openai/v1"),
    "deepseek": _cloud("https://api.deepseek.com/v1"),
    "openrouter": _cloud("https://openrouter.ai/api/v1"),
    "together": _cloud("https://api.together.xyz/v1"),
    "fireworks": _cloud("https://api.fireworks.ai/inference/v1"),
    "xai": _cloud("https://api.x.ai/v1"),
    "cerebras": _cloud("https://api.cerebras.ai/v1"),
    "perplexity": _cloud("https://api.perplexity.ai"),
    "ollama": _local("http://127.0.0.1:11434", Dialect.OLLAMA),
    "llama.cpp": _local("http://127.0.0.1:8080/v1"),
    "vllm": _local("http://127.0.0.1:8000/v1"),
    "lmstudio": _local("http://127.0.0.1:1234/v1"),
}
