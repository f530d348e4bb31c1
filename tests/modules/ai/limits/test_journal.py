"""Calls under way outlive the process that makes them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from opencode.modules.ai.adapters import journal
from opencode.modules.ai.adapters.journal import JournalFull, journal_of, left_in

_KILLED = """
import sys
from pathlib import Path
from opencode.modules.ai.adapters.journal import journal_of

journal = journal_of(Path(sys.argv[1]), 7)
slots = [journal.open(b"call %03d" % number) for number in range(5)]
journal.change(slots[1], b"done 001")
journal.close(slots[2])
print("ready", flush=True)
sys.stdin.read()
"""


def test_what_was_under_way_is_found_after_a_kill_and_only_then(tmp_path: Path) -> None:
    words = [sys.executable, "-c", _KILLED, str(tmp_path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        assert list(left_in(tmp_path)) == []
        os.kill(process.pid, signal.SIGKILL)
    found = [(left.process, left.calls()) for left in left_in(tmp_path)]
    assert found == [(7, [b"call 000", b"done 001", b"call 003", b"call 004"])]
    for left in left_in(tmp_path):
        assert list(left_in(tmp_path)) == []  # one looks at a time
        left.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_full_journal_takes_no_more_until_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "SLOTS", 2)
    own = journal_of(tmp_path, 1)
    slot = own.open(b"one")
    own.open(b"two")
    with pytest.raises(JournalFull):
        own.open(b"three")
    own.close(slot)
    assert own.open(b"four") == slot
    own.let_go()
