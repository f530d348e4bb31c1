"""`ocp worker`: programs run on another process than the server that was asked."""

import signal
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.databases import PostgresDatabases
from tests.ocp import PATIENCE_S, PROGRAM, environment_of, register, run_ocp, serving


@contextmanager
def working(settings: dict[str, str]) -> Generator[subprocess.Popen[str]]:
    """A worker that is ready."""
    guard = ["setpriv", "--pdeathsig", "KILL"]
    words = [*guard, str(PROGRAM), "worker", "--concurrency", "2"]
    with subprocess.Popen(words, env=environment_of(settings), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "OpenCode works: 2 programs at once\n"
            yield process
        finally:
            process.kill()


@pytest.fixture
async def shared(postgres: PostgresDatabases, redis_url: str) -> dict[str, str]:
    """What servers and workers share."""
    return {"OCP_DATABASE_URL": await postgres.migrated(), "OCP_REDIS_URL": redis_url}


@pytest.fixture
def ada(tmp_path: Path, shared: dict[str, str]) -> Generator[httpx.Client]:
    """The administrator of a server that runs no programs itself."""
    settings = {**shared, "OCP_EXECUTION_WORKER": "0"}
    with serving(tmp_path / "data", settings=settings) as server, server.client() as ada:
        register(ada)
        yield ada


def test_a_worker_runs_what_a_server_without_one_accepted(ada: httpx.Client, shared: dict[str, str]) -> None:
    body = {"language": "bash", "files": [{"content": "read line; echo got $line"}], "stdin": "this\n"}
    run = ada.post("/api/v1/runs", json=body).json()
    assert (run["state"], run["position"]) == ("queued", 0)
    with working(shared) as worker:
        events = ada.get(f"/api/v1/runs/{run['id']}/events").text
        assert "got this" in events
        assert events.rstrip().rpartition("event: ")[2].startswith("run.finished")
        done = ada.get(f"/api/v1/runs/{run['id']}").json()
        assert (done["status"], done["stdout"], done["attempt"]) == ("ok", "got this\n", 1)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE_S) == 0


def test_a_worker_that_is_told_to_stop_gives_its_runs_back_without_a_fault(
    ada: httpx.Client, shared: dict[str, str]
) -> None:
    body = {"language": "bash", "files": [{"content": "echo begun; sleep 8"}]}
    path = f"/api/v1/runs/{ada.post('/api/v1/runs', json=body).json()['id']}"
    with working(shared) as worker:
        gives_up_at = time.monotonic() + PATIENCE_S
        while ada.get(path).json()["state"] == "queued" and time.monotonic() < gives_up_at:
            time.sleep(0.01)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE_S) == 0
    run = ada.get(path).json()
    assert (run["state"], run["attempt"], run["position"]) == ("queued", 1, 0)
    assert ada.post(f"{path}/stop").json()["status"] == "stopped"


@pytest.mark.parametrize("missing", ["OCP_DATABASE_URL", "OCP_REDIS_URL"])
def test_a_worker_without_what_it_shares_does_not_start_and_says_why(missing: str) -> None:
    settings = {"OCP_DATABASE_URL": "postgresql+asyncpg://nobody@/nowhere", "OCP_REDIS_URL": "redis://127.0.0.1:1"}
    done = run_ocp("worker", settings={**settings, missing: ""})
    assert done.status == 1
    assert missing in done.err
