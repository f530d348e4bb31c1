"""Installing toolchains: real pip without a network, and programs that stand in for apt."""

import json
import os
import shutil
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opencode.modules.execution.adapters import installers, shelf
from opencode.modules.execution.adapters.installers import InstallFailed
from opencode.modules.execution.domain.programs import Packages, Runtime, Toolchain

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def runtime(install: Packages, name: str = "greet") -> Runtime:
    return Runtime(
        id=name,
        name=name.title(),
        file_name="main.txt",
        run=("{greet}",),
        hello="",
        toolchain=Toolchain(programs=("greet",), version=("{greet}",)),
        install=install,
    )


@pytest.fixture
def a_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes greet 1.2.0 the only package that pip can find."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    about = "greet-1.2.0.dist-info"
    with zipfile.ZipFile(folder / "greet-1.2.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("greet/tool", "#!/bin/sh\necho 1.2.0\n")
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: greet\nVersion: 1.2.0\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Programs in place of apt's: `good` installs, all else is unknown. What they were asked for is in `asked`."""
    folder = tmp_path / "apt"
    folder.mkdir()
    programs = {
        "apt-get": 'echo "$@" >>"$0.asked"\n'
        'case "$*" in *bad*) echo "E: Unable to locate package bad" >&2; exit 100;; esac\n'
        'case "$*" in *--simulate*) echo "Inst libgood (1 x)"; echo "Inst good (1 x)";; esac',
        "apt-cache": 'echo "Installed-Size: 300"; echo "Installed-Size: 1200"',
        "dpkg-query": 'printf "5.2-1"',
    }
    for name, script in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder / "apt-get.asked"


@pytest.mark.usefixtures("a_wheel")
def test_a_pinned_package_lands_in_a_folder_of_its_own_and_is_written_down(tmp_path: Path) -> None:
    shelves = (str(tmp_path / "shelf"),)
    records = installers.install(runtime(Packages(pypi=("greet==1.2.0",))), shelves, NOW)
    assert [(record.package, record.version) for record in records] == [("greet", "1.2.0")]
    place = tmp_path / "shelf" / "pypi" / "greet-1.2.0" / "greet" / "tool"
    assert list(shelf.installed(shelf.PYPI, "greet/tool", shelves)) == [place]
    assert shelf.home_of(place, shelves) == tmp_path / "shelf" / "pypi" / "greet-1.2.0"
    assert place.parents[1].stat().st_mode & 0o777 == 0o755
    written = json.loads((tmp_path / "shelf" / "installed.json").read_text())
    assert written == [
        {"language": "greet", "package": "greet", "version": "1.2.0", "installed_at": "2026-01-02T03:04:05+00:00"}
    ]
    installers.install(runtime(Packages(pypi=("greet==1.2.0",))), shelves, NOW)
    assert json.loads((tmp_path / "shelf" / "installed.json").read_text()) == written


@pytest.mark.usefixtures("a_wheel")
def test_a_package_that_cannot_be_had_is_told_in_words_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(InstallFailed, match=r"failed: .*greet==9\.9"):
        installers.install(runtime(Packages(pypi=("greet==9.9",))), (str(tmp_path / "shelf"),), NOW)
    assert list((tmp_path / "shelf" / "pypi").iterdir()) == []


def test_a_plan_tells_every_package_and_its_size_and_installs_none(apt: Path) -> None:
    made = installers.plan([runtime(Packages(apt=("good",), npm=("left@1.0.0",)))])
    assert (made.debian, made.debian_bytes, made.packages) == (("good", "libgood"), 1500 * 1024, ("left@1.0.0",))
    assert "--simulate" in apt.read_text()


@pytest.mark.usefixtures("apt")
def test_one_unknown_package_spoils_only_its_own_language() -> None:
    made = installers.plan([runtime(Packages(apt=("good",))), runtime(Packages(apt=("bad",)), "other")])
    assert made.debian == ("good", "libgood")
    assert made.problems == (("other", "apt-get failed: Unable to locate package bad."),)


def test_apt_installs_without_what_is_only_recommended_and_the_version_is_recorded(apt: Path, tmp_path: Path) -> None:
    records = installers.install(runtime(Packages(apt=("good",))), (str(tmp_path / "shelf"),), NOW)
    assert [record.version for record in records] == ["5.2-1"]
    assert "install --yes --quiet --no-install-recommends good" in apt.read_text()


def test_a_language_without_packages_is_a_problem_with_an_answer() -> None:
    assert "Install Greet yourself" in installers.plan([runtime(Packages())]).problems[0][1]


@pytest.mark.skipif(not shutil.which("apt-get"), reason="no Debian")
def test_the_real_apt_answers_the_question_of_a_plan() -> None:
    made = installers.plan([runtime(Packages(apt=("no-such-package-as-this",)), "none")])
    assert made.debian == ()
    assert "no-such-package-as-this" in made.problems[0][1]
