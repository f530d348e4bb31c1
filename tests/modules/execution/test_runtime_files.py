"""Every runtime file is whole: its packages, its ten probes, and a reason for each that its language cannot do."""

import re
from collections import Counter
from pathlib import Path

import pytest

from opencode.modules.execution.adapters import toolchains
from opencode.modules.execution.domain.programs import Packages, Runtime
from opencode.modules.execution.probes import PROBES, ProbeState, state_of

RUNTIMES = toolchains.load()
MAKEFILE = Path(__file__).parents[3] / "Makefile"


@pytest.mark.parametrize("runtime", RUNTIMES, ids=[runtime.id for runtime in RUNTIMES])
def test_a_runtime_file_is_whole(runtime: Runtime) -> None:
    assert runtime.tier, "in no tier"
    assert runtime.install != Packages(), "names no packages"
    unwritten = [probe for probe in PROBES if state_of(runtime, probe) is ProbeState.UNWRITTEN]
    assert unwritten == [], "write these probes, or name them in cannot with the reason"
    both = [probe for probe in runtime.probes.cannot if getattr(runtime.probes, probe, None)]
    assert both == [], "written, and yet in cannot"
    assert "hello" not in runtime.probes.cannot
    assert not runtime.probes.files or len(runtime.probes.files) == 2
    assert runtime.file_name.endswith(runtime.suffixes)
    source = (toolchains.RUNTIME_FILES / f"{runtime.id}.toml").read_text()
    for cannot in re.finditer(r"^(.*)\ncannot = \[", source, re.MULTILINE):
        assert cannot[1].startswith("#"), "say in a comment why it cannot"


def test_names_of_languages_are_unique_and_there_are_a_hundred() -> None:
    names = [name for runtime in RUNTIMES for name in (runtime.id, *runtime.aliases)]
    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert len(RUNTIMES) > 100
    assert len([runtime for runtime in RUNTIMES if runtime.in_tier("M")]) >= 55


def test_make_test_installs_tier_s() -> None:
    packages = re.search(r"(?m)^TIER_S := ((?:.|\\\n)*?)$(?<!\\)", MAKEFILE.read_text())
    assert packages
    in_makefile = set(packages[1].replace("\\\n", " ").split())
    assert in_makefile == {name for runtime in RUNTIMES if runtime.tier == "S" for name in runtime.install.apt}
