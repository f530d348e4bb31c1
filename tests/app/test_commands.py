"""The commands of `ocp`, run as an operator runs them."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.ocp import PATIENCE_S, PROGRAM, environment_of, register, run_ocp, serving


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_settings_shows_every_setting_with_its_value_and_where_it_came_from(data: Path) -> None:
    done = run_ocp("settings", "--data", data, settings={"OCP_PORT": "1234"})
    assert done.status == 0
    lines = {line.split()[0]: line for line in done.out.splitlines() if line.strip()}
    assert lines["port"].split()[1:3] == ["1234", "OCP_PORT"]
    assert "--data" in lines["data"]
    assert lines["host"].split()[1:3] == ["127.0.0.1", "default"]


def test_settings_keeps_secrets_to_itself(data: Path) -> None:
    settings = {"OCP_ADMIN_EMAIL": "ada@example.org", "OCP_ADMIN_PASSWORD": "open sesame"}
    done = run_ocp("settings", "--data", data, settings=settings)
    assert "sesame" not in done.out + done.err
    assert "(set)" in next(line for line in done.out.splitlines() if line.startswith("admin_password"))


def test_doctor_names_what_it_looked_at_and_what_to_do(data: Path) -> None:
    done = run_ocp("doctor", "--data", data, settings={"OCP_PORT": "0"})
    for what in ("Python", "data folder", "database", "Redis", "web interface", "port", "sandbox"):
        assert f"{what}:" in done.out
    assert "Traceback" not in done.err


def test_doctor_names_a_server_for_runs_that_does_not_serve(data: Path) -> None:
    servers = {"OCP_PISTON_SERVERS": "http://127.0.0.1:1", "OCP_PISTON_SERVER_TOKEN": "open sesame", "OCP_PORT": "0"}
    done = run_ocp("doctor", "--data", data, settings=servers)
    assert done.status == 1
    assert "runs on 127.0.0.1:1: 127.0.0.1:1 cannot be reached" in " ".join(done.out.split())
    assert "sesame" not in done.out + done.err


def test_an_address_of_a_server_for_runs_that_is_none_stops_the_start(data: Path) -> None:
    done = run_ocp("doctor", "--data", data, settings={"OCP_PISTON_SERVERS": "http://ada:sesame@runner"})
    assert done.status != 0
    assert "OCP_PISTON_SERVERS has 'runner'" in done.err
    assert "sesame" not in done.out + done.err


def test_doctor_tells_of_a_database_that_does_not_answer(data: Path, tmp_path: Path) -> None:
    nowhere = {"OCP_DATABASE_URL": f"postgresql+asyncpg://opencode@/opencode?host={tmp_path}", "OCP_PORT": "0"}
    done = run_ocp("doctor", "--data", data, settings=nowhere)
    assert done.status == 1
    assert "PostgreSQL does not answer" in done.out
    assert "OCP_DATABASE_URL" in done.out


def test_a_server_without_its_database_does_not_start_and_says_why(data: Path, tmp_path: Path) -> None:
    nowhere = {"OCP_DATABASE_URL": f"postgresql+asyncpg://opencode@/opencode?host={tmp_path}"}
    done = run_ocp("serve", "--port", "0", "--data", data, settings=nowhere)
    assert done.status == 1
    assert "The database cannot be used" in done.err
    assert "Traceback" not in done.err


def test_migrate_says_what_is_pending_then_applies_it_once(data: Path) -> None:
    asked = run_ocp("migrate", "--check", "--data", data)
    assert asked.status == 1
    assert "Pending: 0001" in asked.out
    applied = run_ocp("migrate", "--data", data)
    assert applied.status == 0
    assert "Applied: 0001" in applied.out
    again = run_ocp("migrate", "--check", "--data", data)
    assert (again.status, again.out.strip()) == (0, "The database is up to date.")


def test_runtimes_lists_the_languages_and_says_of_each_whether_it_is_there(data: Path) -> None:
    done = run_ocp("runtimes")
    assert done.status == 0
    listed = {line.split()[0] for line in done.out.splitlines() if line.strip()}
    assert {"python", "javascript", "typescript", "c", "cpp", "java", "bash"} <= listed


def test_the_ledger_is_checked_without_a_server(data: Path) -> None:
    done = run_ocp("marketplace", "ledger-check", "--data", data)
    assert done.status == 0, done.err
    assert "0 transactions add up" in done.out


def test_export_writes_an_interview_while_the_server_runs_and_after(data: Path, tmp_path: Path) -> None:
    with serving(data) as server, server.client() as person:
        register(person)
        made = person.post("/api/v1/interviews", json={"title": "First"}).json()
        while_running = run_ocp("export", made["id"], "--data", data)
        assert server.stop() == 0
    target = tmp_path / "first.json"
    after = run_ocp("export", made["code"], "--data", data, "--out", target)
    assert (while_running.status, after.status) == (0, 0), while_running.err + after.err
    written = json.loads(target.read_text())
    assert written == json.loads(while_running.out)
    assert set(written) == {"sessions", "code", "executions"}
    assert made["code"] in written["sessions"]


def test_export_of_what_does_not_exist_says_so(data: Path) -> None:
    done = run_ocp("export", "int_nothing", "--data", data)
    assert done.status == 1
    assert "int_nothing" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("words", [("--version",), ("--help",), ("serve", "--help")])
def test_help_and_version_need_no_settings(words: tuple[str, ...]) -> None:
    done = run_ocp(*words, settings={"OCP_PORT": "nonsense"})
    assert done.status == 0
    assert done.out.strip()


def test_a_flag_that_does_not_exist_is_named(data: Path) -> None:
    done = run_ocp("serve", "--colour", "blue")
    assert done.status == 2
    assert "--colour" in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("serv",), "Did you mean 'serve'?"),
        (("marketplac",), "Did you mean 'marketplace'?"),
        (("ai", "explian"), "Did you mean 'explain'?"),
        (("serve", "--prot", "1"), "'--port'"),
        (("serve", "--port", "many"), "'many' is not a valid integer"),
        (("run", "main.py", "--memory", "0"), "0 is not in the range x>=1"),
        (("runtimes", "list", "--tier", "X"), "'S', 'M', 'L'"),
        (("backup",), "Missing argument 'TARGET'"),
    ],
)
def test_a_wrong_word_is_named_with_what_may_have_been_meant(words: tuple[str, ...], said: str) -> None:
    done = run_ocp(*words)
    assert (done.status, done.out) == (2, "")
    assert said in done.err


def test_help_tells_everything_that_there_is_to_give(data: Path) -> None:
    told = " ".join(run_ocp("run", "--help").out.split())
    assert "FILE The program, such as main.py." in told
    assert "Its language. [by the ending of the file]" in told
    assert "MB that it may use. [the server's limit] [x>=1]" in told


def test_a_list_of_commands_says_all_of_what_each_is_for() -> None:
    listed = run_ocp("marketplace")
    assert (listed.status, listed.err) == (2, "")
    assert "Compare the index of every server with the database. Status 1 when a project differs." in listed.out


@contextmanager
def started(*words: str | Path) -> Generator[subprocess.Popen[bytes]]:
    """A command that hears Ctrl-C, whatever this run of tests does."""
    # A run in the background ignores it, and so would what it starts; what is handled is not passed on.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen([PROGRAM, *words], env=environment_of(), stdout=subprocess.PIPE)
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        try:
            yield process
        finally:
            process.kill()


def test_ctrl_c_ends_a_command_with_the_status_that_shells_expect(tmp_path: Path) -> None:
    never_written = tmp_path / "opencode.json"
    os.mkfifo(never_written)
    with started("ai", "check", "--config", never_written) as process, never_written.open("wb"):
        # Opened by both sides, and nothing to read: there it waits.
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 130


def test_ctrl_c_ends_the_small_provider_well() -> None:
    with started("ai", "mock", "--port", "0") as process:
        assert process.stdout
        assert b"ready" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 0


def test_a_server_whose_schema_cannot_be_made_says_what_stood_in_the_way(data: Path) -> None:
    data.mkdir()
    with closing(sqlite3.connect(data / "opencode.db")) as database:
        database.execute("create table outbox (something text)")
    done = run_ocp("serve", "--port", "0", "--data", data)
    assert done.status == 1
    assert "The database cannot be used: table outbox already exists." in done.err
    assert "Traceback" not in done.err


def test_python_dash_m_opencode_is_the_same_command() -> None:
    words = [sys.executable, "-m", "opencode", "--version"]
    done = subprocess.run(words, env=environment_of(), capture_output=True, text=True, check=True)
    assert done.stdout == run_ocp("--version").out
