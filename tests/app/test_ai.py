"""`ocp ai`, run as an operator runs it."""

import json
import re
from pathlib import Path

import pytest

from tests.ocp import run_ocp

GOOD = """{
  "$schema": "https://opencode.invalid/schemas/ai.v1.json",
  // what answers
  "providers": {
    "ollama": {"type": "local", "models": ["llama"]},
    "openai": {"type": "cloud", "api_key": "${OPENCODE_TEST_KEY:-sk-never-shown}", "models": ["gpt"]},
  },
  "aliases": {"fast": "ollama/llama"},
}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "opencode.json"
    path.write_text(GOOD)
    return path


def test_a_good_configuration_is_said_to_be_good(config: Path) -> None:
    done = run_ocp("ai", "check", "--config", str(config))
    assert done.status == 0, done.err
    assert "2 providers, 2 models" in done.out


def test_every_mistake_is_told_with_file_line_and_column(config: Path) -> None:
    config.write_text(GOOD.replace('"local"', '"lokal"').replace("ollama/llama", "olama/llama"))
    done = run_ocp("ai", "check", settings={"OCP_AI_CONFIG": str(config)})
    assert done.status == 1
    first, second = done.out.splitlines()
    assert first.startswith(f"{config}:5:24: providers.ollama.type must be one of")
    assert first.endswith("Did you mean 'local'?")
    assert second.startswith(f"{config}:8:23: There is no provider 'olama'.")


def test_secrets_are_masked_wherever_the_configuration_is_shown(config: Path) -> None:
    settings = {"OPENCODE_TEST_KEY": "sk-of-the-operator"}
    shown = run_ocp("ai", "show", "--config", str(config), settings=settings)
    explained = run_ocp("ai", "explain", "providers.openai", "--config", str(config), settings=settings)
    assert json.loads(shown.out)["providers"]["openai"]["models"] == ["gpt"]
    assert f"{config}:6:24" in explained.out
    assert not re.search("sk-", shown.out + shown.err + explained.out + explained.err)


def test_a_key_that_is_not_there_is_told_with_the_likely_one(config: Path) -> None:
    done = run_ocp("ai", "explain", "aliases.fats", "--config", str(config))
    assert done.status == 1
    assert "'aliases.fast'" in done.err


def test_what_another_file_would_change_is_told(config: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text(GOOD.replace('"models": ["gpt"]', '"models": ["gpt"], "weight": 2'))
    done = run_ocp("ai", "diff", str(other), "--config", str(config))
    assert (done.status, done.out) == (1, "+ providers.openai.weight = 2\n")
    assert run_ocp("ai", "diff", str(config), "--config", str(config)).status == 0


def test_a_file_that_is_not_there_is_told_with_what_to_do(tmp_path: Path) -> None:
    done = run_ocp("ai", "check", "--config", str(tmp_path / "missing.json"))
    assert done.status == 1
    assert "missing.json" in done.err


def test_the_schema_has_the_id_that_files_carry() -> None:
    schema = json.loads(run_ocp("ai", "schema").out)
    assert f'"$schema": "{schema["$id"]}"' in GOOD
