"""`ocp run`: a file in the sandbox, as a person at a shell runs it."""

import os
import pty
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.ocp import PATIENCE_S, PROGRAM, Finished, environment_of, run_ocp


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def ran(folder: Path, name: str, program: str, *words: str) -> Finished:
    (folder / name).write_text(program)
    return run_ocp("run", folder / name, *words)


def test_it_passes_on_what_is_printed_and_how_the_program_ended(folder: Path) -> None:
    done = ran(folder, "a.sh", "echo out; echo oh >&2; exit 3")
    assert (done.status, done.out) == (3, "out\n")
    oh, verdict = done.err.splitlines()
    assert oh == "oh"
    assert "3" in verdict
    assert " ms" in verdict


def test_arguments_and_input_reach_the_program(folder: Path) -> None:
    done = ran(folder, "a.sh", 'cat; echo "$#:$2"', "--stdin", "größe\n", "--args", "one 'two words'")
    assert (done.status, done.out) == (0, "größe\n2:two words\n")


def test_a_dash_takes_the_input_from_here(folder: Path) -> None:
    (folder / "a.sh").write_text("cat")
    words = [PROGRAM, "run", folder / "a.sh", "--stdin", "-"]
    done = subprocess.run(words, input=b"from here", env=environment_of(), capture_output=True, timeout=PATIENCE_S)
    assert (done.returncode, done.stdout) == (0, b"from here")


def test_a_signal_ends_in_128_and_its_number(folder: Path) -> None:
    assert ran(folder, "a.sh", "kill -SEGV $$").status == 128 + signal.SIGSEGV


def test_limits_are_held_and_said_in_words(folder: Path) -> None:
    done = ran(folder, "a.sh", "sleep 60", "--time", "0.3")
    assert done.status == 128 + signal.SIGKILL
    assert "0.3 s" in done.err
    refused = ran(folder, "a.sh", "true", "--memory", "10000000")
    assert refused.status == 1
    assert "memory_bytes" in refused.err


def test_an_unknown_language_names_those_that_look_like_it(folder: Path) -> None:
    done = ran(folder, "a.sh", "true", "--language", "pyton")
    assert done.status == 1
    assert "python" in done.err
    done = ran(folder, "a.zzz", "true")
    assert done.status == 1
    assert "--language" in done.err
    assert ".py" in done.err
    assert ran(folder, "a.zzz", "echo it works", "--language", "sh").out == "it works\n"


def test_a_file_that_is_not_there_is_said_in_words(folder: Path) -> None:
    done = run_ocp("run", folder / "none.py")
    assert done.status == 1
    assert "none.py cannot be read" in done.err
    assert "Traceback" not in done.err


def test_ctrl_c_stops_the_run(folder: Path) -> None:
    (folder / "a.sh").write_text("echo begun; sleep 60; echo never")
    words = [PROGRAM, "run", folder / "a.sh"]
    with subprocess.Popen(
        words, env=environment_of(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert out == ""
    assert "Traceback" not in err
    assert process.returncode == 128 + signal.SIGINT


def test_in_a_terminal_the_program_gets_every_key_and_the_size(folder: Path) -> None:
    # The end reads: a shell that is about to start a program may lose the key, with or without us.
    (folder / "a.sh").write_text("stty size; read -n 1 key; echo; echo got $key; read more")
    ours, theirs = pty.openpty()
    words = [PROGRAM, "run", folder / "a.sh", "--terminal"]
    environment = {**environment_of(), "COLUMNS": "97", "LINES": "31"}
    with subprocess.Popen(words, env=environment, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE) as process:
        os.close(theirs)
        printed = _until(ours, b"31 97")
        os.write(ours, b"k")
        printed += _until(ours, b"got k")
        os.write(ours, b"\x03")
        assert process.wait(timeout=PATIENCE_S) == 128 + signal.SIGINT
    os.close(ours)


def _until(terminal: int, text: bytes) -> bytes:
    printed, gives_up_at = b"", time.monotonic() + PATIENCE_S
    while text not in printed and time.monotonic() < gives_up_at:
        printed += os.read(terminal, 4096)
    return printed
