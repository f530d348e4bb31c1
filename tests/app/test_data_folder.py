"""Backups: made while people work, brought back whole or not at all."""

import gzip
import sqlite3
import stat
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opencode.app.data_folder import BackupInvalid, back_up, restore
from opencode.kernel.errors import Conflict, NotFound
from tests.ocp import EMAIL, PASSWORD, register, run_ocp, serving

CONTENT = bytes(range(256)) * 8_192
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of a server with one account and one interview, made while it runs."""
    folder = tmp_path_factory.mktemp("backup")
    with serving(folder / "data") as server, server.client() as person:
        register(person)
        assert person.post("/api/v1/interviews", json={"title": "First"}).status_code == 201
        project = person.post("/api/v1/projects", json={"title": "Engine", "status": "published"}).json()
        releases = f"/api/v1/projects/{project['slug']}/releases"
        assert person.post(releases, json={"version": "1.0"}).status_code == 201
        assert person.put(f"{releases}/1.0/files/engine.bin", content=CONTENT).status_code == 201
        done = run_ocp("backup", folder / "opencode.tar.gz", "--data", folder / "data")
        assert done.status == 0, done.err
    return folder / "opencode.tar.gz"


def test_a_backup_that_was_made_while_the_server_ran_brings_everything_back(backup: Path, tmp_path: Path) -> None:
    done = run_ocp("restore", backup, "--data", tmp_path / "data")
    assert done.status == 0, done.err
    with serving(tmp_path / "data") as server, server.client() as person:
        assert person.post("/api/v1/auth/login", json={"email": EMAIL, "password": PASSWORD}).status_code == 200
        assert [each["title"] for each in person.get("/api/v1/interviews").json()["items"]] == ["First"]
        (project,) = person.get("/api/v1/me/projects").json()["items"]
        file = person.get(f"/api/v1/projects/{project['slug']}/releases/1.0/files/engine.bin")
        assert (file.status_code, file.content) == (200, CONTENT)


def test_a_backup_and_what_it_brings_back_are_for_the_owner_only(backup: Path, tmp_path: Path) -> None:
    restore(backup, tmp_path / "data", force=False, now=NOW)
    for path in (backup, tmp_path / "data" / "opencode.db", tmp_path / "data" / "signing.key"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_a_backup_does_not_overwrite_anything(backup: Path, tmp_path: Path) -> None:
    restore(backup, tmp_path / "data", force=False, now=NOW)
    target = tmp_path / "letter.txt"
    target.write_text("Dear Ada")
    with pytest.raises(Conflict, match="exists"):
        back_up(tmp_path / "data", target, now=NOW)
    assert target.read_text() == "Dear Ada"


def test_a_backup_of_an_empty_folder_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    done = run_ocp("backup", tmp_path / "opencode.tar.gz", "--data", tmp_path / "data")
    assert done.status == 1
    assert "no database" in done.err
    assert not list(tmp_path.glob("opencode*"))


def test_a_backup_into_a_folder_that_does_not_exist_says_so(backup: Path, tmp_path: Path) -> None:
    restore(backup, tmp_path / "data", force=False, now=NOW)
    with pytest.raises(NotFound, match="missing"):
        back_up(tmp_path / "data", tmp_path / "missing" / "opencode.tar.gz", now=NOW)


@pytest.mark.parametrize("at", [0.0, 0.1, 0.5, 0.9])
def test_a_backup_that_was_cut_short_is_refused_and_nothing_is_touched(backup: Path, tmp_path: Path, at: float) -> None:
    whole = backup.read_bytes()
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(whole[: int(len(whole) * at)])
    with pytest.raises(BackupInvalid, match="not a whole backup"):
        restore(cut, tmp_path / "data", force=False, now=NOW)
    assert not (tmp_path / "data" / "opencode.db").exists()


def test_a_backup_with_a_changed_byte_is_refused(backup: Path, tmp_path: Path) -> None:
    raw = bytearray(gzip.decompress(backup.read_bytes()))
    raw[len(raw) // 2] ^= 0xFF
    changed = tmp_path / "changed.tar.gz"
    changed.write_bytes(gzip.compress(bytes(raw)))
    done = run_ocp("restore", changed, "--data", tmp_path / "data")
    assert done.status == 1
    assert "damaged" in done.err
    assert not (tmp_path / "data" / "opencode.db").exists()


def test_a_file_that_is_no_backup_is_refused(tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear Ada")
    archive = tmp_path / "other.tar.gz"
    with tarfile.open(archive, "w:gz") as other:
        other.add(letter, arcname="../../letter.txt")
    for file in (letter, archive):
        with pytest.raises(BackupInvalid):
            restore(file, tmp_path / "data", force=False, now=NOW)
    with pytest.raises(NotFound):
        restore(tmp_path / "missing.tar.gz", tmp_path / "data", force=False, now=NOW)


def test_a_folder_that_holds_data_is_not_restored_over_without_force(backup: Path, tmp_path: Path) -> None:
    restore(backup, tmp_path / "data", force=False, now=NOW)
    before = (tmp_path / "data" / "opencode.db").read_bytes()
    done = run_ocp("restore", backup, "--data", tmp_path / "data")
    assert done.status == 1
    assert "--force" in done.err
    assert (tmp_path / "data" / "opencode.db").read_bytes() == before


def test_with_force_what_was_there_is_moved_aside(backup: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert run_ocp("migrate", "--data", data).status == 0
    before = (data / "opencode.db").read_bytes()
    assert run_ocp("restore", backup, "--data", data, "--force").status == 0
    [aside] = data.glob("before-restore-*")
    assert (aside / "opencode.db").read_bytes() == before
    with sqlite3.connect(data / "opencode.db") as database:
        assert database.execute("select count(*) from interviews").fetchone() == (1,)


def test_a_folder_in_use_is_not_restored_over(backup: Path, tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        done = run_ocp("restore", backup, "--data", tmp_path / "data", "--force")
        assert done.status == 1
        assert f"Process {server.process.pid}" in done.err


def test_data_in_postgresql_is_backed_up_with_its_own_tools(tmp_path: Path) -> None:
    settings = {"OCP_DATABASE_URL": "postgresql+asyncpg://opencode@/opencode"}
    done = run_ocp("backup", tmp_path / "opencode.tar.gz", settings=settings)
    assert done.status == 1
    assert "pg_dump" in done.err
