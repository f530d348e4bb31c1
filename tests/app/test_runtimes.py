"""`ocp runtimes`, run as an operator runs it, and the language that the docs add in ten lines."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from tests.ocp import run_ocp

PAGE = Path(__file__).parents[2] / "docs" / "languages.md"


@pytest.fixture
def own(tmp_path: Path) -> dict[str, str]:
    """Settings with a folder of the operator's own languages: the one of the docs, and one that cannot be had."""
    example = re.search(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert example
    (tmp_path / "posix-awk.toml").write_text(example[1])
    missing = example[1].replace("posix-awk", "nowhere").replace("gawk", "no-such-program")
    (tmp_path / "nowhere.toml").write_text(missing)
    return {"OCP_RUNTIME_FOLDER": str(tmp_path)}


def test_the_language_of_the_docs_has_ten_lines_and_works(own: dict[str, str]) -> None:
    example = (Path(own["OCP_RUNTIME_FOLDER"]) / "posix-awk.toml").read_text()
    assert len(example.splitlines()) == 10
    assert tomllib.loads(example)["id"] == "posix-awk"
    done = run_ocp("runtimes", "test", "posix-awk", "--json", settings=own)
    assert done.status == 0, done.out + done.err
    states = {result["probe"]: result["state"] for result in json.loads(done.out)}
    assert {probe for probe, state in states.items() if state == "passed"} == {"hello", "unicode", "error"}
    assert len(states) == 10


def test_a_probe_that_fails_is_explained_and_ends_with_status_1(own: dict[str, str]) -> None:
    done = run_ocp("runtimes", "test", "nowhere", "bash", "--probe", "hello", settings=own)
    assert done.status == 1
    assert "nowhere, hello: POSIX AWK is not available on this server." in done.out
    assert "1 of 2 languages pass" in done.out


def test_what_is_not_there_is_named_with_what_there_is() -> None:
    done = run_ocp("runtimes", "test", "klingon")
    assert (done.status, "klingon" in done.err, "ocp runtimes list" in done.err) == (1, True, True)
    done = run_ocp("runtimes", "test", "bash", "--probe", "smell")
    assert (done.status, "hello, echo, args" in done.err) == (1, True)
    done = run_ocp("runtimes", "install")
    assert (done.status, "--tier M" in done.err) == (1, True)


def test_a_file_that_is_not_good_is_named(own: dict[str, str]) -> None:
    (Path(own["OCP_RUNTIME_FOLDER"]) / "broken.toml").write_text("id = 5")
    done = run_ocp("runtimes", "list", settings=own)
    assert done.status == 1
    assert "broken.toml" in done.err
    assert "Traceback" not in done.err


@pytest.mark.skipif(not Path("/usr/bin/apt-get").exists(), reason="no Debian")
def test_install_asks_nothing_without_a_terminal_and_installs_nothing_then(own: dict[str, str]) -> None:
    done = run_ocp("runtimes", "install", "posix-awk", "nowhere", settings=own)
    assert done.status == 1
    assert "Languages: POSIX AWK" in done.out
    assert "Add --yes to install this." in done.err or "need root" in done.err


@pytest.mark.skipif(not Path("/usr/bin/apt-get").exists(), reason="no Debian")
def test_install_tells_each_failure_in_words(own: dict[str, str]) -> None:
    done = run_ocp("runtimes", "install", "nowhere", "--yes", settings=own)
    assert done.status == 1
    assert re.search(r"nowhere: apt-get failed: .*no-such-program", done.err)
    assert "1 of 1 languages could not be installed." in done.err


def test_doctor_says_of_every_missing_language_what_to_do(own: dict[str, str]) -> None:
    done = run_ocp("runtimes", "doctor", settings=own)
    assert "languages are there" in done.out
    assert "no-such-program is not installed. Install POSIX AWK with ocp runtimes install nowhere" in done.out
