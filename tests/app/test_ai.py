"""`ocp ai`, run as an operator runs it."""

import asyncio
import json
import re
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from opencode.app.migrate import migrate
from opencode.infra.db import Database
from opencode.infra.security import Keyring
from opencode.kernel.clock import SystemClock
from opencode.kernel.ids import ProviderId, UserId, new_id
from opencode.modules.ai.domain.configuration.model import Limits
from opencode.modules.ai.domain.setting import StoredLimits, Whose
from opencode.modules.ai.domain.stored import Secrets, StoredProvider
from opencode.modules.ai.service.storing import Storing
from opencode.modules.ai.store import writing
from tests.ocp import run_ocp

SCHEMA = "https://opencode.invalid/schemas/ai.v1.json"
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


def test_the_doctor_tests_each_connection_and_names_the_fix(config: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    providers = {
        "lab": {"type": "local", "base_url": f"http://127.0.0.1:{port}/v1", "models": ["x"]},
        "own": {"type": "custom", "entry_point": "no_such_package:answer", "models": ["x"]},
    }
    config.write_text(json.dumps({"$schema": SCHEMA, "providers": providers}))
    (tmp_path / "work" / ".git").mkdir(parents=True)
    done = run_ocp("ai", "doctor", "--config", str(config), "--data", str(tmp_path / "data"))
    assert done.status == 1
    good, lab, own = done.out.splitlines()
    assert good == "good  2 providers, 2 models named"
    assert f"lab: the connection to http://127.0.0.1:{port}/v1 is refused. Is the server started" in lab
    assert "there is no module no_such_package" in own


def test_a_file_of_the_coding_agent_becomes_one_of_ours(tmp_path: Path) -> None:
    agents, ours = tmp_path / "agents.json", tmp_path / "ours.json"
    options = {"baseURL": "http://127.0.0.1:9/v1"}
    agents.write_text(json.dumps({"theme": "x", "provider": {"lab": {"options": options, "models": {"m": {}}}}}))
    done = run_ocp("ai", "import", str(agents), "--to", str(ours))
    assert (done.status, "left out: theme" in done.err) == (0, True)
    assert run_ocp("ai", "check", "--config", str(ours)).status == 0
    again = run_ocp("ai", "import", str(agents), "--to", str(ours))
    assert (again.status, "not there yet" in again.err) == (1, True)


async def test_what_administrators_added_is_explained_and_its_key_sealed_anew(tmp_path: Path) -> None:
    database = Database.in_folder(tmp_path)
    await migrate(database)
    storing = Storing(database, Keyring(tmp_path / "sealing.keys"))
    now = SystemClock().now()
    made = StoredProvider(
        id=ProviderId(new_id("prv")),
        name="lab",
        settings={"type": "custom", "base_url": "http://127.0.0.1:9/v1", "models": ["x"]},
        changed_by=UserId(new_id("usr")),
        created_at=now,
        changed_at=now,
    )
    made = replace(made, sealed=storing.sealed(Secrets(api_key="sk-stored"), made.what))
    whose = Whose.of_words("everybody")
    async with writing(database) as stores:
        await stores.providers.add(made)
        await stores.limits.add(StoredLimits(whose, Limits(60, None, 7), new_id("lim"), made.changed_by, now))
    config = tmp_path / "opencode.json"
    config.write_text(json.dumps({"$schema": SCHEMA, "limits": {"concurrency": 2}}, indent=1))
    where = ("--data", str(tmp_path), "--config", str(config))
    told = await asyncio.to_thread(run_ocp, "ai", "explain", "limits", *where)
    assert "limits.requests_per_minute = 60  database, database" in told.out
    assert f"limits.concurrency = 2  named, {config}:4:18" in told.out, told.out
    explained = await asyncio.to_thread(run_ocp, "ai", "explain", "providers.lab", "--data", str(tmp_path))
    assert 'providers.lab.base_url = "http://127.0.0.1:9/v1"  database, database' in explained.out
    assert "sk-stored" not in explained.out + explained.err
    rotated = await asyncio.to_thread(run_ocp, "ai", "rotate", "--data", str(tmp_path))
    assert "1 providers are sealed with the new key" in rotated.out, rotated.err
    (stored,) = await storing.all()
    assert stored.sealed != made.sealed
    assert storing.secrets_of(stored).api_key == "sk-stored"
    await database.close()
