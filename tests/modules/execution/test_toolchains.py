"""Toolchains outside the system: shown in cells, without telling where they live."""

import shutil
import sys
from pathlib import Path

import msgspec
import pytest
from msgspec import structs

from opencode.contracts.execution import LanguageUnknown, RunRequest, SourceFile
from opencode.modules.execution.adapters import shelf, toolchains
from opencode.modules.execution.adapters.toolchains import Missing
from opencode.modules.execution.domain.programs import Runtime, Toolchain
from opencode.modules.execution.errors import RuntimeFileError
from opencode.modules.execution.service.runner import Runs
from opencode.modules.execution.settings import ExecutionSettings

from .runner import Outcome, Runner

PREFIX = Path(sys.base_prefix).resolve()
BASH = (toolchains.RUNTIME_FILES / "bash.toml").read_text()
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
    program = prefix / "bin" / "python3"
    program.parent.mkdir(parents=True)
    program.write_text("one")
    first = shelf.put("python3-3.12.1", prefix, [program], (str(folder),))
    assert shelf.put("python3-3.12.1", prefix, [program], (str(folder),)) == first
    assert (first / "bin" / "python3").read_text() == "one"
    program.unlink()
    program.write_text("another")
    second = shelf.put("python3-3.12.1", prefix, [program], (str(folder),))
    assert second != first
    assert (second / "bin" / "python3").read_text() == "another"
    assert sorted(folder.iterdir()) == sorted([first, second])


def test_a_shelf_that_others_can_write_to_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "open" / "pypi" / "evil-1").mkdir(parents=True)
    (tmp_path / "open" / "pypi" / "evil-1" / "tool").write_text("")
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "link").symlink_to(tmp_path / "open")
    with pytest.raises(OSError, match="belongs to somebody else"):
        shelf.first_usable((str(tmp_path / "open"), str(tmp_path / "link")))
    assert shelf.first_usable((str(tmp_path / "open"), str(tmp_path / "own"))) == tmp_path / "own"
    assert list(shelf.installed(shelf.PYPI, "tool", (str(tmp_path / "open"), str(tmp_path / "link")))) == []


SHELLS = Runtime(
    id="shells",
    name="Shells",
    file_name="main.sh",
    run=("{shell}", "{main}"),
    hello="echo 'Hello, world!'",
    toolchain=Toolchain(programs=("shell",), also=("shell-[0-9]*",), version=("/bin/sh", "-c", "cat {shell}.version")),
)


@pytest.fixture
def two_shells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One shell in two versions: `shell` 1.2.3 and, under a longer name in another folder, 1.10.0."""
    tmp_path.chmod(0o755)
    for folder, name, version in (("first", "shell", "1.2.3"), ("second", "shell-1.10", "1.10.0")):
        place = tmp_path / folder / "bin" / name
        place.parent.mkdir(parents=True)
        shutil.copy("/bin/dash", place)
        place.with_name(f"{name}.version").write_text(version)
    monkeypatch.setenv("PATH", f"{tmp_path}/first/bin:{tmp_path}/second/bin:/usr/bin")


@pytest.mark.usefixtures("two_shells")
async def test_all_versions_of_a_language_are_found_the_first_place_first(settings: ExecutionSettings) -> None:
    found = await toolchains.find(SHELLS, settings.toolchain_folders)
    assert not isinstance(found, Missing)
    assert [one.version for one in found] == ["1.2.3", "1.10.0"]
    for wish, version in ((None, "1.2.3"), ("1", "1.10.0"), ("*", "1.10.0"), ("1.2", "1.2.3"), ("1.10.0", "1.10.0")):
        chosen = toolchains.choose(found, wish)
        assert chosen
        assert chosen.version == version
    assert toolchains.choose(found, "2") is None


@pytest.mark.usefixtures("two_shells")
async def test_a_run_takes_the_version_that_it_asks_for(settings: ExecutionSettings) -> None:
    runs = Runs(settings, (SHELLS,))
    language = (await runs.languages())[0]
    assert (language.version, language.versions) == ("1.2.3", ("1.2.3", "1.10.0"))
    code = SourceFile("main.sh", b"cat $(readlink /proc/$$/exe).version")
    for wish, version in ((None, "1.2.3"), ("1.10", "1.10.0")):
        outcome = Outcome([event async for event in runs.run(RunRequest("run_1", "shells", (code,), version=wish))])
        assert outcome.stdout == version, outcome.stderr
    with pytest.raises(LanguageUnknown, match="Shells 3 is not on this server") as refusal:
        await anext(runs.run(RunRequest("run_1", "shells", (code,), version="3")))
    await runs.close()
    assert refusal.value.action == "It has 1.2.3, 1.10.0."


async def test_a_program_from_a_package_on_the_shelf_is_shown_whole_where_it_is(
    settings: ExecutionSettings,
) -> None:
    folder = shelf.first_usable(settings.toolchain_folders)
    place = folder / "npm" / "shell-9.1.0" / "node_modules" / "shell" / "bin" / "shell"
    place.parent.mkdir(parents=True)
    shutil.copy("/bin/dash", place)
    (folder / "npm" / "shell-9.1.0" / "more").write_text("9.1.0")
    packaged = Toolchain(programs=("shell",), modules=("shell/bin/shell",), version=("cat", "{toolchain}/more"))
    runs = Runs(
        settings,
        (structs.replace(SHELLS, toolchain=packaged, run=("{shell}", "{main}", "{toolchain}")),),
    )
    outcome = await Runner(runs)("shells", 'cat "$1/more"')
    await runs.close()
    assert outcome.stdout == "9.1.0", outcome.finished


@pytest.mark.usefixtures("two_shells")
async def test_what_a_toolchain_starts_to_tell_its_version_does_not_outlive_the_question(
    settings: ExecutionSettings,
) -> None:
    question = ("/bin/sh", "-c", "sleep 98.7 >/dev/null 2>&1 & echo 1.2.3")
    chatty = structs.replace(SHELLS, toolchain=structs.replace(SHELLS.toolchain, version=question))
    assert not isinstance(await toolchains.find(chatty, settings.toolchain_folders), Missing)
    commands = [_command_line(process) for process in Path("/proc").glob("[0-9]*")]
    assert "sleep 98.7" not in commands


def _command_line(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
    except OSError:
        return ""


async def test_scripts_outside_the_system_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrapper = tmp_path / "ruby"
    wrapper.write_text("#!/bin/sh\necho ruby 9.9.9\n")
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    ruby = next(runtime for runtime in toolchains.load() if runtime.id == "ruby")
    if shutil.which("ruby", path="/usr/bin"):
        pytest.skip("ruby is installed")
    found = await toolchains.find(ruby, (str(tmp_path / "shelf"),))
    assert found == Missing("ruby is not installed. Install Ruby with ocp runtimes install ruby, which takes ruby.")


async def test_a_toolchain_that_is_too_old_says_which_one_is_needed(settings: ExecutionSettings) -> None:
    future = structs.replace(PYTHON, toolchain=structs.replace(PYTHON.toolchain, minimum="99.1", own_python=False))
    found = await toolchains.find(future, settings.toolchain_folders)
    assert isinstance(found, Missing)
    assert "too old; 99.1 is needed. Install Python with" in found.reason
    assert not isinstance(await toolchains.find(PYTHON, settings.toolchain_folders), Missing)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("id = 5", "Expected"),
        ("id = ", "Invalid value"),
        ('id = "x"\nsurprise = 1', "x.toml"),
        (BASH.replace("{main}", "{mian}"), "mian"),
        (BASH.replace('apt = ["bash"]', 'npm = ["bash"]'), "npm"),
    ],
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


async def test_a_toolchain_finds_the_part_of_itself_that_is_below_var_lib(settings: ExecutionSettings) -> None:
    """What apt knows stands in for it: the libraries of Chicken, OCaml and Haskell are found there, too."""
    shell = msgspec.convert(
        {
            "id": "reader",
            "name": "Reader",
            "file_name": "main.sh",
            "run": ["{bash}", "{main}"],
            "hello": "",
            "var": ["dpkg"],
            "toolchain": {"programs": ["bash"], "version": ["{bash}", "--version"]},
        },
        Runtime,
    )
    runs = Runs(settings, (shell,))
    try:
        outcome = await Runner(runs)("reader", "head -c 8 /var/lib/dpkg/status; ls /var/lib")
    finally:
        await runs.close()
    assert (outcome.stdout, outcome.stderr) == ("Package:dpkg\n", "")
