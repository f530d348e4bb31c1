"""The rules of running programs."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.contracts.execution import Limits, RunRefused, RunRequest, SourceFile, Verdict
from opencode.modules.execution.adapters import toolchains
from opencode.modules.execution.domain.programs import (
    StageFacts,
    arrange,
    check_request,
    judge,
    leading_includes,
    narrow,
    signal_number,
    version_key,
)
from opencode.modules.execution.settings import ExecutionSettings, StageLimits

LIMITS = StageLimits()
FINE = StageFacts(stage="run", began=True, ended_for=None, status=0, cpu_time_ms=5)


def exited(code: int) -> int:
    """An exit code as wait(2) has it; signals are the numbers that they are."""
    return code << 8


def test_a_limit_left_out_is_the_servers_and_a_given_one_is_kept() -> None:
    assert narrow(Limits(), LIMITS, "limits") == LIMITS
    assert narrow(Limits(wall_time_ms=5), LIMITS, "limits") == replace(LIMITS, wall_time_ms=5)


@given(st.integers(), st.sampled_from(["wall_time_ms", "cpu_time_ms", "memory_bytes", "output_bytes", "processes"]))
def test_no_wish_gets_above_the_ceiling_or_below_one(wish: int, name: str) -> None:
    try:
        decided = narrow(Limits(**{name: wish}), LIMITS, "limits")
    except RunRefused:
        assert not 1 <= wish <= getattr(LIMITS, name)
    else:
        assert getattr(decided, name) == wish
        assert 1 <= wish <= getattr(LIMITS, name)


@given(st.text(max_size=40))
def test_a_file_name_that_passes_stays_in_its_folder(name: str) -> None:
    request = RunRequest("run_1", "python", (SourceFile(name, b""),))
    try:
        check_request(request, ExecutionSettings())
    except RunRefused:
        return
    assert not name.startswith("/")
    assert ".." not in name.split("/")
    assert "\0" not in name
    assert name.encode()


@pytest.mark.parametrize(
    ("change", "verdict", "words"),
    [
        ({}, Verdict.OK, "Finished."),
        ({"status": exited(1)}, Verdict.ERROR, "Exited with code 1."),
        ({"status": exited(200)}, Verdict.ERROR, "Exited with code 200."),
        ({"status": 11}, Verdict.SIGNAL, "Ended by SIGSEGV: it used memory that is not its own"),
        (
            {"status": exited(1), "stage": "compile"},
            Verdict.COMPILE_ERROR,
            "The compiler found errors",
        ),
        ({"ended_for": Verdict.WALL_TIME}, Verdict.WALL_TIME, "Stopped after 10 s. What it printed so far is above."),
        ({"ended_for": Verdict.STOPPED, "began": False}, Verdict.STOPPED, "Stopped."),
        ({"oom_kills": 1, "status": 9}, Verdict.MEMORY, "Used more than 512 MB of memory and was ended."),
        ({"oom_kills": 1, "stage": "compile"}, Verdict.MEMORY, "The compiler used more than 512 MB"),
        (
            {"status": exited(1), "refused_forks": 2},
            Verdict.PROCESSES,
            "Started more than 64 processes",
        ),
        ({"refused_forks": 2}, Verdict.OK, "Finished."),
        ({"status": 24, "cpu_time_ms": 10_001}, Verdict.CPU_TIME, "Used more than 10 s of processor"),
        ({"status": 24}, Verdict.SIGNAL, "Ended by SIGXCPU."),
        ({"status": 25}, Verdict.DISK, "Filled the disk space that it may use, and failed."),
        ({"status": exited(1), "disk_full": True}, Verdict.DISK, "Filled the disk space"),
        ({"disk_full": True}, Verdict.OK, "Finished."),
        (
            {"ended_for": Verdict.OUTPUT},
            Verdict.OUTPUT,
            "Printed more than 1 MB and was ended. The beginning is above.",
        ),
        ({"began": False, "status": exited(1)}, Verdict.SANDBOX_FAULT, "This server could not start a sandbox."),
    ],
)
def test_the_verdict_follows_from_what_was_seen(change: dict[str, object], verdict: Verdict, words: str) -> None:
    judgement = judge(replace(FINE, **change), LIMITS)  # pyright: ignore[reportArgumentType]
    assert judgement.verdict is verdict
    assert judgement.message.startswith(words)


@pytest.mark.parametrize(
    ("name", "number"),
    [("SIGINT", 2), ("SIGKILL", 9), ("SIGUSR1", 10), ("SIGRTMIN", 34), ("SIGRTMIN+3", 37), ("SIGRTMAX-2", 62)],
)
def test_a_signal_has_the_number_that_this_machine_gives_it(name: str, number: int) -> None:
    assert signal_number(name) == number


@pytest.mark.parametrize("name", ["", "INT", "SIGNOTHING", "SIG_DFL", "SIGRTMIN+99", "SIGINT+1", "2", "SIGINT\n"])
def test_a_signal_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(RunRefused):
        signal_number(name)


def test_versions_sort_as_people_expect() -> None:
    assert sorted(["3.11.2", "3.9", "24.19.0", "3.11"], key=version_key) == ["3.9", "3.11", "3.11.2", "24.19.0"]


@pytest.mark.parametrize("runtime", toolchains.load(), ids=lambda runtime: runtime.id)
def test_every_command_of_a_runtime_file_can_be_filled_in(runtime: toolchains.Runtime) -> None:
    request = RunRequest("run_1", runtime.id, (SourceFile(runtime.file_name, runtime.hello.encode()),), args=("{x}",))
    places = {program: f"/usr/bin/{program}" for program in (*runtime.toolchain.programs, "toolchain")}
    program = arrange(runtime, request, places, LIMITS, LIMITS)
    assert program.run[-1] == "{x}"
    assert all(word and not re.search(r"\{\w+\}", word) for word in (*program.compile, *program.run[:-1]))
    assert runtime.template.endswith("\n")
    assert "\r" not in runtime.template


def includes_of(code: str, name: str = "main.cpp", *others: str) -> list[tuple[int, str]]:
    cpp = next(runtime for runtime in toolchains.load() if runtime.id == "cpp")
    files = [SourceFile(name, code.encode()), *(SourceFile(other, b"") for other in others)]
    return [(one.line, one.name) for one in leading_includes(cpp, files)]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("#include <iostream>\n#include <vector>\nint main() {}", [(1, "iostream"), (2, "vector")]),
        ("// mine\n\n  # include<map> // for f\r\n#include <set> /* too */\n", [(3, "map"), (4, "set")]),
        ("/* a\n   b ** */\n#include <map>\n", [(3, "map")]),
        ("#include <map>\nusing namespace std;\n#include <set>\n", [(1, "map")]),
        ("#define NDEBUG\n#include <cassert>\n", []),
        ('#pragma GCC optimize("O3")\n#include <map>\n', []),
        ("#if 0\n#include <map>\n#endif\n", []),
        ("int x; // a\n#include <map>\n", []),
        ("/* a */ int x;\n#include <map>\n", []),
        ("/* a */ #define x\n#include <map>\n", []),
        ("// goes on \\\n#include <map>\n", []),
        ("/* a *\\\n/ #define x /* */\n#include <map>\n", []),
        ("/* never ends\n#include <map>\n", []),
        ('#include "own.h"\n#include <map>\n', []),
        ("#include <map>\n#include NAME\n#include <set>\n", [(1, "map")]),
        ("#include <map> int x;\n", []),
        ("??/\n#include <map>\n", []),
        ("", []),
    ],
)
def test_only_what_stands_before_everything_else_counts(code: str, expected: list[tuple[int, str]]) -> None:
    assert includes_of(code) == expected


def test_a_program_of_several_sources_or_another_name_is_compiled_as_ever() -> None:
    code = "#include <iostream>\nint main() {}\n"
    assert includes_of(code)
    assert includes_of(code, "main.cpp", "vector", "own.h")
    assert not includes_of(code, "other.cpp")
    assert not includes_of(code, "main.cpp", "other.cpp")
