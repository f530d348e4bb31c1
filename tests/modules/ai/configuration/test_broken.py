"""Every mistake is told where it is, in words that help, with the likely right word."""

import json

import pytest

from opencode.modules.ai.adapters.files import read_secret
from opencode.modules.ai.domain.configuration.checking import check
from opencode.modules.ai.domain.configuration.jsonc import Source, read
from opencode.modules.ai.domain.configuration.model import SCHEMA_ID
from tests.modules.ai.configuration.broken import MEANING, SHAPE, SUBSTITUTION, SYNTAX

VARIABLES = {"OPENAI_KEY": "k", "EMPTY": "", "WORD": "many"}


@pytest.mark.parametrize("case", [*SYNTAX, *SHAPE, *MEANING, *SUBSTITUTION], ids=lambda case: case[0][:60])
def test_a_mistake_is_told_with_its_place_and_the_right_word(case: tuple[str, ...]) -> None:
    written, message, *suggested = case
    before, _, _ = written.partition("⟪")
    place = f"opencode.json:{before.count(chr(10)) + 1}:{len(before) - (before.rfind(chr(10)) + 1) + 1}"
    found = check([read(Source("opencode.json", written.replace("⟪", "")))], VARIABLES, read_secret)
    told = [str(problem) for problem in found.problems]
    assert found.configuration is None
    assert [each for each in told if each.startswith(f"{place}: ") and message in each], told
    here = next(problem for problem in found.problems if message in problem.message and str(problem.place) == place)
    assert here.suggestion == (suggested[0] if suggested else here.suggestion)


def test_there_are_many_ways_to_be_wrong() -> None:
    assert len({case[0] for case in (*SYNTAX, *SHAPE, *MEANING, *SUBSTITUTION)}) >= 150


def test_all_mistakes_are_told_at_once() -> None:
    text = """{
      "providers": {
        "ollama": {"type": "local", "models": ["llama", "llama"]},
        "openai": {"type": "clod", "api_key": "${OPENAI_KAY}", "modls": ["gpt"]},
        "x": {"type": "custom", "base_url": "ftp://x", "models": [3, {"nam": "a"}],}
        "y": {"type": "custom", "models": "a", "timeouts": {"connect_s": 0}},
      },
      "aliases": {"fast": "olama/llama"},
      "foo": True
    }"""
    told = check([read(Source("opencode.json", text))], VARIABLES, read_secret).problems
    lines = [problem.place.line for problem in told]
    assert lines == [3, 4, 4, 4, 5, 5, 5, 5, 5, 6, 6, 8, 9, 9]


def test_a_mistake_in_a_secret_is_told_without_it() -> None:
    providers = {
        "a": {"type": "custom", "base_url": "http://127.0.0.1:9", "models": ["x"], "api_key": 123456789},
        "b": {"type": "custom", "base_url": "http://127.0.0.1:9", "models": ["x"], "headers": {"x": 987654321}},
        "c": {"type": "${SECRET}"},
        "d": {"type": "cloud", "api_key": "k", "models": ["x"], "preset": "${SECRET}"},
        "e": {"type": "${LONG}"},
    }
    secrets = {"SECRET": 'sk-"quoted"', "LONG": "sk-" + "x" * 100}
    text = json.dumps({"$schema": SCHEMA_ID, "providers": providers})
    told = "\n".join(map(str, check([read(Source("x", text))], secrets, read_secret).problems))
    assert [line.count("••••••") for line in told.splitlines() if "providers." in line] == [1, 1, 1, 1]
    assert "There is no preset ••••••" in told
    for secret in ("123456789", "987654321", "sk-"):
        assert secret not in told
