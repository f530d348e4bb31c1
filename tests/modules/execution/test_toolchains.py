"""Toolchains outside the system: shown in cells, without telling where they live."""

import shutil
import sys
from pathlib import Path

import pytest

from opencode.modules.execution.adapters import shelf, toolchains
from opencode.modules.execution.adapters.toolchains import Found, Missing
from opencode.modules.execution.errors import RuntimeFileError
from opencode.modules.execution.service.runner import Runs
from opencode.modules.execution.settings import ExecutionSettings

from .runner import Runner

PREFIX = Path(sys.base_prefix).resolve()
PYTHON = next(runtime for runtime in toolchains.load() if runtime.id == "python")


async def test_a_python_in_a_private_folder_runs_and_keeps_its_place_secret(
    settings: ExecutionSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toolchains, "_SEARCH_FIRST", ())
    monkeypatch.setenv("PATH", f"{Path(sys.prefix, 'bin')}:/usr/bin")

    if PREFIX.is_relative_to("/usr") and not PREFIX.is_relative_to("/usr/local"):
        pytest.skip("the server's Python is the system's")
    runs = Runs(settings, (PYTHON,))
    code = "import json, ssl, sqlite3, sys\nprint(sys.version_info[:2], sys.path, sys.executable, sys.prefix)\n"
    code += "print(open('/proc/self/mountinfo').read(), open('/proc/self/maps').read())\nimport nothing"
    outcome = await Runner(runs)("python", code)
    await runs.close()
    assert outcome.stdout.startswith(str(sys.version_info[:2])), outcome.stderr
    assert "/opt/toolchains/python/lib/python3" in outcome.stdout
    for place in (str(PREFIX), sys.prefix, "site-packages/pytest"):
        assert place not in outcome.printed("stdout", "stderr")


def test_the_shelf_is_filled_once_and_again_when_the_toolchain_changes(tmp_path: Path) -> None:
    prefix, folder = tmp_path / "private", tmp_path / "shelf"
    (prefix / "bin").mkdir(parents=True)
    (prefix / "bin" / "python3").write_text("one")
    first = toolchains._put_on_shelf(PYTHON, "3.12.1", prefix, (str(folder),))
    assert toolchains._put_on_shelf(PYTHON, "3.12.1", prefix, (str(folder),)) == first
    assert (first / "bin" / "python3").read_text() == "one"
    (prefix / "bin" / "python3").unlink()
    (prefix / "bin" / "python3").write_text("another")
    second = toolchains._put_on_shelf(PYTHON, "3.12.1", prefix, (str(folder),))
    assert second != first
    assert (second / "bin" / "python3").read_text() == "another"
    assert sorted(folder.iterdir()) == sorted([first, second])


def test_a_shelf_that_others_can_write_to_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "link").symlink_to(tmp_path / "open")
    with pytest.raises(OSError, match="belongs to somebody else"):
        shelf.first_of((str(tmp_path / "open"), str(tmp_path / "link")))
    assert shelf.first_of((str(tmp_path / "open"), str(tmp_path / "own"))) == tmp_path / "own"


async def test_scripts_outside_the_system_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrapper = tmp_path / "ruby"
    wrapper.write_text("#!/bin/sh\necho ruby 9.9.9\n")
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    ruby = next(runtime for runtime in toolchains.load() if runtime.id == "ruby")
    if shutil.which("ruby", path="/usr/bin"):
        pytest.skip("ruby is installed")
    found = await toolchains.find(ruby, (str(tmp_path / "shelf"),))
    assert found == Missing("ruby is not installed. Install Ruby, on Debian and Ubuntu the package ruby.")


async def test_a_toolchain_that_is_too_old_says_which_one_is_needed(settings: ExecutionSettings) -> None:
    from msgspec.structs import replace

    future = replace(PYTHON, toolchain=replace(PYTHON.toolchain, minimum="99.1", own_python=False))
    found = await toolchains.find(future, settings.toolchain_folders)
    assert isinstance(found, Missing)
    assert "too old; 99.1 is needed. Install Python 3" in found.reason
    assert isinstance(await toolchains.find(PYTHON, settings.toolchain_folders), Found)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [("id = 5", "Expected"), ("id = ", "Invalid value"), ('id = "x"\nsurprise = 1', "x.toml")],
)
def test_a_broken_runtime_file_is_named(tmp_path: Path, content: str, complaint: str) -> None:
    (tmp_path / "x.toml").write_text(content)
    with pytest.raises(RuntimeFileError, match=complaint):
        toolchains.load(tmp_path)


def test_two_runtimes_may_not_share_a_name(tmp_path: Path) -> None:
    source = (toolchains.RUNTIME_FILES / "python.toml").read_text()
    (tmp_path / "a.toml").write_text(source)
    (tmp_path / "b.toml").write_text(source)
    with pytest.raises(RuntimeFileError, match=r"b\.toml: the name python is taken by a\.toml"):
        toolchains.load(tmp_path)
