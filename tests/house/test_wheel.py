"""The wheel: everything that is needed is inside."""

import re
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.ocp import Server, register, serving

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", target, ROOT]
    subprocess.run(build, check=True, capture_output=True, timeout=120)
    return next(target.glob("opencode_platform-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `ocp` of an environment that holds the wheel and what it declares to need, and nothing else."""
    folder = tmp_path_factory.mktemp("installed") / "environment"
    venv.create(folder, symlinks=True, with_pip=False)
    packages = next(folder.glob("lib/python*/site-packages"))
    for name in _needed("opencode-platform"):
        _link(name, packages)
    uv = Path(sys.executable).with_name("uv")
    install = [uv, "pip", "install", "--offline", "--no-deps", "--python", folder / "bin" / "python", wheel]
    subprocess.run(install, check=True, capture_output=True, timeout=60)
    return folder / "bin" / "ocp"


@pytest.fixture(scope="module")
def server(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    empty = tmp_path_factory.mktemp("empty")
    nothing_on_the_path = {"PATH": str(empty), "PYTHONPATH": "", "VIRTUAL_ENV": ""}
    with serving(empty / "data", settings=nothing_on_the_path, program=installed, cwd=empty) as running:
        yield running


def test_the_wheel_holds_the_web_ui_the_runtimes_and_the_migrations(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "opencode/web_build/200.html" in names
    assert "opencode/web_build/200.html.br" in names
    assert "opencode/modules/execution/runtimes/python.toml" in names
    assert "opencode/migrations/versions/0001_outbox.py" in names
    assert not [name for name in names if name.startswith(("tests/", "web/", "tools/"))]


def test_the_wheel_has_the_licence_and_runs_on_any_platform(wheel: Path) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_an_installation_without_node_serves_the_pages_and_their_scripts(server: Server) -> None:
    with server.client() as person:
        page = person.get("/", headers={"accept": "text/html"})
        assert page.status_code == 200
        script = re.search(r"/_app/immutable/entry/[\w.-]+\.js", page.text)
        assert script
        answer = person.get(script[0])
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]


def test_an_installation_is_ready_and_shows_its_api(server: Server) -> None:
    with server.client() as person:
        assert person.get("/ready").json() == {"status": "ready", "failing": {}, "impaired": {}}
        assert person.get("/docs").status_code == 200
        assert "/api/v1/interviews" in person.get("/openapi.json").json()["paths"]


def test_people_register_and_arrange_an_interview_on_an_installation(server: Server) -> None:
    with server.client() as person:
        assert register(person).status_code == 201
        made = person.post("/api/v1/interviews", json={"title": "First"})
        assert made.status_code == 201
        assert re.fullmatch(r"\d{6}", made.json()["code"])


def test_an_installation_runs_from_its_own_files(installed: Path) -> None:
    where = [installed.with_name("python"), "-c", "import opencode; print(opencode.__file__)"]
    found = subprocess.run(where, check=True, capture_output=True, text=True, cwd="/").stdout
    assert Path(found.strip()).is_relative_to(installed.parents[1])


def _needed(name: str, extras: frozenset[str] = frozenset()) -> set[str]:
    """The distributions that one needs, and what they need in turn, on this platform."""
    found: dict[str, frozenset[str]] = {}
    waiting = [(name, extras)]
    while waiting:
        current, chosen = waiting.pop()
        for line in distribution(current).requires or ():
            requirement = Requirement(line)
            if requirement.marker and not any(requirement.marker.evaluate({"extra": extra}) for extra in (*chosen, "")):
                continue
            known, wanted = found.get(requirement.name), frozenset(requirement.extras)
            if known is None or not wanted <= known:
                found[requirement.name] = (known or frozenset()) | wanted
                waiting.append((requirement.name, found[requirement.name]))
    return set(found)


def _link(name: str, packages: Path) -> None:
    """Put an installed distribution into another environment, without a copy and without a network."""
    found = distribution(name)
    tops = {file.parts[0] for file in found.files or () if file.parts[0] != ".."}
    for top in tops - {"__pycache__"}:
        link = packages / top
        if not link.exists():
            link.symlink_to(str(found.locate_file(top)))
