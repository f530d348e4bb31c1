"""What servers of all ages say of a run is understood, and is a verdict of ours."""

from typing import Any

import msgspec
import pytest

from opencode.contracts.execution import Compiled, Finished, Limits, Output, RunEvent, StageStarted, Verdict
from opencode.modules.execution.adapters.piston.answers import (
    Account,
    ExecuteAnswer,
    NotPiston,
    RemoteRuntime,
    decoded,
)
from opencode.modules.execution.adapters.piston.catalogue import Catalogue, Place
from opencode.modules.execution.adapters.toolchains import load
from opencode.modules.execution.settings import MIB

Json = dict[str, Any]

ASKED = Limits(wall_time_ms=3000, cpu_time_ms=1000, memory_bytes=100 * MIB)
NOTHING = Limits()

# As Piston 3.1.1 answers.
NEW: Json = {
    "stdout": "", "stderr": "", "output": "", "code": 0, "signal": None, "message": None, "status": None,
    "cpu_time": 12, "wall_time": 34, "memory": 5_000_000,
}  # fmt: skip
# As Piston 3.0 answers: no status, no meters.
OLD: Json = {"stdout": "", "stderr": "", "output": "", "code": 0, "signal": None}
KILLED: Json = {"code": None, "signal": "SIGKILL"}


def events_of(*stages: Json, asked: Limits = ASKED, most: int = MIB) -> list[RunEvent]:
    *compiled, run = stages
    answer = {"run": run, "language": "python", "version": "3.10.0", **({"compile": compiled[0]} if compiled else {})}
    account = Account(asked, asked, {"compile": most, "run": most})
    return list(account.answer(decoded(msgspec.json.encode(answer), ExecuteAnswer)))


def end_of(*stages: Json, asked: Limits = ASKED, most: int = MIB) -> Finished:
    last = events_of(*stages, asked=asked, most=most)[-1]
    assert isinstance(last, Finished)
    return last


VERDICTS: list[tuple[str, Json, Limits, Verdict]] = [
    ("all is well", NEW, ASKED, Verdict.OK),
    ("an exit code", {**NEW, "code": 3, "status": "RE"}, ASKED, Verdict.ERROR),
    ("a signal", {**NEW, "code": None, "signal": "SIGSEGV", "status": "SG"}, ASKED, Verdict.SIGNAL),
    ("somebody's SIGKILL", {**NEW, **KILLED, "status": "SG"}, ASKED, Verdict.SIGNAL),
    ("SIGKILL at the limit of memory", {**NEW, **KILLED, "status": "SG", "memory": 100 * MIB}, ASKED, Verdict.MEMORY),
    ("SIGKILL a little below it", {**NEW, **KILLED, "status": "SG", "memory": 99 * MIB}, ASKED, Verdict.MEMORY),
    ("much memory without a limit", {**NEW, **KILLED, "status": "SG", "memory": 900 * MIB}, NOTHING, Verdict.SIGNAL),
    ("another signal at the limit", {
        **NEW, "code": None, "signal": "SIGABRT", "status": "SG", "memory": 100 * MIB,
    }, ASKED, Verdict.SIGNAL),
    ("TO with little processor time", {**NEW, **KILLED, "status": "TO"}, ASKED, Verdict.WALL_TIME),
    ("TO at the limit of processor time", {**NEW, **KILLED, "status": "TO", "cpu_time": 1001}, ASKED, Verdict.CPU_TIME),
    ("TO in Piston's words", {
        **NEW, **KILLED, "status": "TO", "cpu_time": 3001, "message": "Time limit exceeded",
    }, NOTHING, Verdict.CPU_TIME),
    ("TO in its other words", {
        **NEW, **KILLED, "status": "TO", "message": "Time limit exceeded (wall clock)",
    }, NOTHING, Verdict.WALL_TIME),
    ("too much on stdout", {**NEW, **KILLED, "status": "OL", "stdout": "x" * 1024}, ASKED, Verdict.OUTPUT),
    ("too much on stderr", {**NEW, **KILLED, "status": "EL", "stderr": "x" * 1024}, ASKED, Verdict.OUTPUT),
    ("a fault of the sandbox", {**NEW, "code": None, "status": "XX"}, ASKED, Verdict.SANDBOX_FAULT),
    ("a status of the future", {**NEW, "code": 4, "status": "ZZ"}, ASKED, Verdict.ERROR),
    ("memory, said by another of us", {**NEW, **KILLED, "status": "SG", "verdict": "memory"}, NOTHING, Verdict.MEMORY),
    ("processes, said so", {**NEW, "code": 1, "status": "RE", "verdict": "processes"}, NOTHING, Verdict.PROCESSES),
    ("disk, said so", {**NEW, "code": 1, "status": "RE", "verdict": "disk"}, NOTHING, Verdict.DISK),
    ("stopped, and not by us", {
        **NEW, **KILLED, "status": "SG", "verdict": "stopped",
    }, NOTHING, Verdict.SANDBOX_FAULT),
    ("a verdict of the future", {**NEW, "verdict": "bored"}, NOTHING, Verdict.OK),
    ("old: all is well", OLD, ASKED, Verdict.OK),
    ("old: an exit code", {**OLD, "code": 1}, ASKED, Verdict.ERROR),
    ("old: a signal", {**OLD, "code": None, "signal": "SIGSEGV"}, ASKED, Verdict.SIGNAL),
    ("old: killed early", {**OLD, **KILLED}, ASKED, Verdict.SIGNAL),
    ("old: killed at the limit", {**OLD, **KILLED, "wall_time": 3000}, ASKED, Verdict.WALL_TIME),
    ("neither code nor signal", {**OLD, "code": None}, ASKED, Verdict.SIGNAL),
    ("a signal that nobody knows", {**OLD, "code": None, "signal": "SIGWHAT"}, ASKED, Verdict.SIGNAL),
]  # fmt: skip


@pytest.mark.parametrize(("report", "asked", "verdict"), [pytest.param(*case[1:], id=case[0]) for case in VERDICTS])
def test_every_end_is_a_verdict(report: Json, asked: Limits, verdict: Verdict) -> None:
    finished = end_of(report, asked=asked)
    assert finished.verdict is verdict
    assert finished.message
    assert finished.truncated == (verdict is Verdict.OUTPUT)


def test_meters_are_passed_on_and_missing_ones_are_measured_or_none() -> None:
    new, old = end_of(NEW), end_of(OLD)
    assert (new.cpu_time_ms, new.wall_time_ms, new.memory_bytes) == (12, 34, 5_000_000)
    assert (old.cpu_time_ms, old.memory_bytes) == (0, None)
    assert old.wall_time_ms >= 0


def test_the_words_name_the_limit_that_was_asked_for_or_what_was_used() -> None:
    out_of_time = {**NEW, **KILLED, "status": "TO", "wall_time": 3012}
    assert end_of(out_of_time).message.startswith("Stopped after 3 s.")
    assert end_of(out_of_time, asked=NOTHING).message.startswith("Stopped after 3.012 s.")


def test_a_compiler_that_was_content_has_its_own_events() -> None:
    events = events_of({**NEW, "stderr": "mind this"}, {**NEW, "stdout": "hi"})
    assert events[:4] == [
        StageStarted("compile"),
        Output("compile", "stderr", b"mind this"),
        Compiled(12, 34, 5_000_000),
        StageStarted("run"),
    ]
    assert isinstance(events[-1], Finished)


@pytest.mark.parametrize("report", [{**NEW, "code": 1, "status": "RE"}, {**OLD, "code": 1}, {**OLD, **KILLED}])
def test_a_compiler_that_was_not_ends_the_run(report: Json) -> None:
    finished = end_of(report, report)
    assert (finished.stage, finished.verdict) == ("compile", Verdict.COMPILE_ERROR)


def test_bytes_that_are_no_text_come_whole_where_the_server_sends_them() -> None:
    events = events_of({**NEW, "stdout": "a\ufffd", "stdout_base64": "Yf8=", "stderr": "é"})
    assert [event.data for event in events if isinstance(event, Output)] == [b"a\xff", "é".encode()]


def test_a_server_that_lets_more_through_than_we_do_is_cut_short() -> None:
    events = events_of({**NEW, "stdout": "x" * 900, "stderr": "y" * 900}, most=1000)
    assert [(event.stream, len(event.data)) for event in events if isinstance(event, Output)] == [
        ("stdout", 900),
        ("stderr", 100),
    ]
    assert isinstance(events[-1], Finished)
    assert events[-1].verdict is Verdict.OUTPUT


@pytest.mark.parametrize(
    "answer",
    [b"", b"no", b"[]", b"{}", b'{"run": 5}', b'{"run": {"stdout": 5}}', b'{"run": {"code": "0"}}', b"[" * 100_000],
)
def test_what_piston_would_not_say_is_not_believed(answer: bytes) -> None:
    with pytest.raises(NotPiston):
        decoded(answer, ExecuteAnswer)


def test_broken_base64_is_not_believed() -> None:
    with pytest.raises(NotPiston):
        events_of({**NEW, "stdout_base64": "%"})


LISTED = [
    RemoteRuntime("python", "3.9.4", ("py", "python3")),
    RemoteRuntime("python", "3.12.0", ("py", "python3")),
    RemoteRuntime("python", "3.10.0", ("py", "python3")),
    RemoteRuntime("c++", "10.2.0", ("cpp", "g++"), "gcc"),
    RemoteRuntime("rscript", "4.1.1", ("r",)),
    RemoteRuntime("dragon", "1.9.8", ("dragon-lang",)),
    RemoteRuntime("odd", "latest"),
]


def test_languages_that_are_known_here_have_our_names_and_all_have_their_versions() -> None:
    catalogue = Catalogue(LISTED, load())
    languages = {language.id: language for language in catalogue.languages}
    assert set(languages) == {"python", "cpp", "r", "dragon"}
    assert languages["python"].versions == ("3.12.0", "3.10.0", "3.9.4")
    assert (languages["cpp"].name, languages["cpp"].file_name) == ("C++", "main.cpp")
    dragon = languages["dragon"]
    assert (dragon.name, dragon.aliases, dragon.template) == ("dragon", ("dragon-lang",), "")


@pytest.mark.parametrize(
    ("language", "version", "place"),
    [
        ("python", None, Place("python", "3.12.0")),
        ("py", "<3.12", Place("python", "3.10.0")),
        ("python", "2", None),
        ("cpp", "*", Place("c++", "10.2.0")),
        ("c++", None, Place("c++", "10.2.0")),
        ("r", None, Place("rscript", "4.1.1")),
        ("dragon-lang", "1.x", Place("dragon", "1.9.8")),
        ("klingon", None, None),
    ],
)
def test_a_server_is_asked_in_its_own_words(language: str, version: str | None, place: Place | None) -> None:
    assert Catalogue(LISTED, load()).find(language, version) == place
