"""The repository itself: what may not be in it, and what must hold of all of it."""

import ast
import json
import re
import subprocess
import tomllib
from pathlib import Path

import yaml

from opencode import __version__
from tests.sharing import GROUPS

ROOT = Path(__file__).parents[2]
LONGEST_FUNCTION_LINES = 70


def _tracked(*patterns: str) -> list[Path]:
    """Files that Git knows; in an unpacked archive, those that are there."""
    listed = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        skipped = {".venv", "node_modules", "build", "dist", ".svelte-kit", "__pycache__"}
        return [file for file in ROOT.rglob("*") if file.is_file() and not skipped & set(file.parts)]
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def _texts() -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = []
    for file in _tracked():
        try:
            found.append((file, file.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue  # a picture
    return found


def test_the_python_lock_names_no_server_and_checks_every_file() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    assert "--index-url" not in lock
    pinned = [line for line in lock.splitlines() if re.match(r"[a-z0-9]", line)]
    assert pinned
    assert all("==" in line and line.endswith("\\") for line in pinned)


def test_the_npm_locks_say_no_address_to_load_from_and_check_every_file() -> None:
    locks = [file for file in _tracked() if file.name == "package-lock.json"]
    assert locks
    for lock in locks:
        packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]
        for name, package in packages.items():
            assert "resolved" not in package, f"{name} in {lock}"
            assert not name or package.get("link") or package.get("inBundle") or "integrity" in package, name


def test_npm_is_told_to_keep_addresses_out_of_the_locks() -> None:
    for lock in (file for file in _tracked() if file.name == "package-lock.json"):
        assert "omit-lockfile-registry-resolved=true" in lock.with_name(".npmrc").read_text(encoding="utf-8")


def test_no_file_names_a_place_of_somebodys_machine() -> None:
    # Spelt in two parts, so that this file does not name them.
    places = re.compile("|".join(["/ho" + r"me/[a-z]+/", "/Us" + "ers/", "/wo" + "rk/", "/ro" + r"ot/\."]))
    assert [(str(file.relative_to(ROOT)), found[0]) for file, text in _texts() if (found := places.search(text))] == []


def test_nothing_is_left_to_be_done_later() -> None:
    marks = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b")
    left = [str(file.relative_to(ROOT)) for file, text in _texts() if marks.search(text)]
    assert left == []


def test_no_function_is_so_long_that_nobody_reads_it() -> None:
    long: list[str] = []
    for file in _tracked("src/*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
                if lines > LONGEST_FUNCTION_LINES:
                    long.append(f"{file.relative_to(ROOT)}:{node.lineno} {node.name}: {lines}")
    assert long == []


def test_files_end_with_a_line_end_and_have_no_others_than_line_feeds() -> None:
    for file, text in _texts():
        if text and file.suffix in {".py", ".md", ".ts", ".svelte", ".toml", ".yaml", ".css"}:
            assert text.endswith("\n"), file
            assert "\r\n" not in text, file


def test_the_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    web = json.loads((ROOT / "web" / "package.json").read_text(encoding="utf-8"))
    api = json.loads((ROOT / "openapi.json").read_text(encoding="utf-8"))
    assert {project["version"], web["version"], api["info"]["version"], __version__} == {__version__}


def test_the_workflow_runs_targets_of_the_makefile_and_pins_what_it_uses() -> None:
    text = (ROOT / ".github" / "workflows" / "ci.yaml").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"run: make ([a-z]+)", text)) <= targets
    assert "make check" in text
    assert ".ci/run" in text
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@v\d+", name) for name in re.findall(r"uses: (\S+)", text))
    assert set(yaml.safe_load(text)["jobs"]) == {"check", "test", "wheel"}


def test_the_compose_file_keeps_the_port_and_the_rights_of_the_server_small() -> None:
    services = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))["services"]
    server = services["opencode"]
    assert server["ports"] == ["127.0.0.1:8000:8000"]
    assert server["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in server["security_opt"]
    assert (ROOT / "deploy" / server["build"]["context"] / server["build"]["dockerfile"]).resolve().is_file()
    assert [services[name]["profiles"] for name in ("postgres", "redis")] == [["shared"], ["shared"]]


def test_every_file_that_the_image_is_built_from_is_there() -> None:
    for line in (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8").splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), source


def test_every_metric_is_counted_somewhere() -> None:
    text = (ROOT / "src/opencode/infra/observability/metrics.py").read_text(encoding="utf-8")
    names = re.findall(r"^([A-Z_]+) = (?:Counter|Gauge|Histogram)\(", text, re.MULTILINE)
    assert names
    used = "\n".join(source for file, source in _texts() if file.is_relative_to(ROOT / "src"))
    assert [name for name in names if f"metrics.{name}" not in used] == []


def test_every_group_of_tests_that_stay_together_is_there() -> None:
    paths = [path for group in GROUPS.values() for path in group]
    assert [path for path in paths if not (ROOT / path).exists()] == []
