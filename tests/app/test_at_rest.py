"""What a server has loaded when nobody asks it anything: that takes memory for as long as it runs."""

import json
import sys
from pathlib import Path

import pytest

from opencode.modules.ai.domain.configuration.model import SCHEMA_ID
from tests.ocp import EMAIL, PASSWORD, serving

OF_COMMANDS = {"rich", "pydantic", "opencode.app.ai", "opencode.app.marketplace", "opencode.app.runtimes"}
OF_LIBRARIES = {"attr", "opentelemetry", "pydantic", "redis", "asyncpg"}
"""What others would load since it is installed, or to be ready for what nobody has asked for."""
OF_THE_START = {"alembic", "mako", "jsonschema_rs"}
OF_OTHER_MODULES = {"aiosmtplib", "joserfc", "markdown_it", "nh3", "numpy", "pycrdt", "pygments", "tantivy"} | {
    f"opencode.modules.{name}.module"
    for name in ("collaboration", "execution", "interviews", "marketplace", "notifications")
}
PROVIDER = {"type": "custom", "base_url": "http://127.0.0.1:9/v1", "models": [{"name": "small", "price": {"input": 1}}]}


def _program(folder: Path) -> Path:
    """The command `ocp`, which tells at its end what it has loaded."""
    program = folder / "ocp"
    told = f"open({str(folder / 'loaded.json')!r}, 'w').write(json.dumps(sorted(sys.modules)))"
    lines = [
        f"#!{sys.executable}",
        "import atexit, json, sys",
        f"atexit.register(lambda: {told})",
        "from opencode.app.cli import main",
        "main()",
    ]
    program.write_text("\n".join(lines))
    program.chmod(0o700)
    return program


@pytest.mark.parametrize(
    ("modules", "unwanted"),
    [
        ("identity,ai", OF_COMMANDS | OF_LIBRARIES | OF_THE_START | OF_OTHER_MODULES),
        ("", OF_COMMANDS | OF_LIBRARIES | OF_THE_START),
    ],
    ids=["the gateway alone", "everything"],
)
def test_a_server_at_rest_has_loaded_only_what_it_serves_with(tmp_path: Path, modules: str, unwanted: set[str]) -> None:
    file = tmp_path / "opencode.json"
    file.write_text(json.dumps({"$schema": SCHEMA_ID, "providers": {"own": PROVIDER}}))
    settings = {
        "OCP_MODULES": modules,
        "OCP_AI_CONFIG": str(file),
        "OCP_ADMIN_EMAIL": EMAIL,
        "OCP_ADMIN_PASSWORD": PASSWORD,
    }
    # Its database is a new one: whatever made it is not there any longer.
    with serving(tmp_path / "data", settings=settings, program=_program(tmp_path)) as server, server.client() as person:
        assert person.post("/api/v1/auth/login", json={"email": EMAIL, "password": PASSWORD}).status_code == 200
        assert person.post("/api/v1/ai/providers/own/test").status_code == 200
        assert server.stop() == 0
    loaded = set(json.loads((tmp_path / "loaded.json").read_text()))
    assert {"opencode.modules.ai.module", "litestar"} <= loaded
    assert loaded & unwanted == set()
