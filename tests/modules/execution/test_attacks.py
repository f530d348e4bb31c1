"""
What people have tried on other sandboxes, and on the parts of this one. Every attack must end with the verdict that
fits, disturb nobody who runs beside it, and leave the machine as it was: `conftest.nothing_stays_behind` looks for
processes, control groups, mounts and descriptors after each one.
"""

import asyncio
import os
import signal
from collections import Counter

import pytest

from opencode.modules.execution.service.runner import Runs

from .attacks import ATTACKS, GROUPS, PARAMETERS
from .runner import Runner, new_run_id

pytestmark = pytest.mark.asyncio(loop_scope="session")

CANARY_EVERY_S = 0.2
LONGEST_CANARY_MS = 3000  # it takes 5; half of a small machine is the attacker's, and the rest may be busy, too


@pytest.mark.parametrize("name", PARAMETERS)
async def test_an_attack_gets_what_it_deserves_and_nobody_beside_it_notices(
    runs: Runs, run: Runner, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    attack = ATTACKS[name]
    if attack.only_on and attack.only_on != os.uname().machine:
        pytest.skip("the numbers are those of another processor")
    monkeypatch.setenv("OPENCODE_SECRET_KEY", "SECRET-OF-THE-SERVER")
    attacking = asyncio.create_task(run.hear_out(attack.request(new_run_id(), run.file_name(attack.language))))
    durations: list[int] = []
    while True:
        canary = await run("bash", "echo alive")
        assert canary.stdout == "alive\n", canary.finished
        durations.append(canary.finished.wall_time_ms)
        if (await asyncio.wait({attacking}, timeout=CANARY_EVERY_S))[0]:
            break
    outcome = await attacking
    assert attack.complaints(outcome.verdict, outcome.stdout, outcome.stderr) == []
    assert max(durations) < LONGEST_CANARY_MS


async def test_every_exit_code_is_told_as_it_is(run: Runner) -> None:
    for code in range(256):
        outcome = await run("bash", f"exit {code}")
        assert (outcome.verdict, outcome.finished.exit_code) == ("error" if code else "ok", code)


async def test_every_signal_that_ends_a_program_is_told_by_its_name(run: Runner) -> None:
    # What stops a program, lets it go on or is overlooked does not end it.
    harmless = {signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}
    harmless |= {signal.SIGCONT, signal.SIGCHLD, signal.SIGURG, signal.SIGWINCH}
    for number in set(range(1, 32)) - harmless:
        reset = "" if number == signal.SIGKILL else f"signal.signal({number}, signal.SIG_DFL)"
        code = f"import os, signal, time\n{reset}\nos.kill(os.getpid(), {number})\ntime.sleep(5)"
        outcome = await run("python", code)
        # The limit on the size of files is told by a signal, and means the disk.
        expected = "disk" if number == signal.SIGXFSZ else "signal"
        assert (outcome.verdict, outcome.finished.signal) == (expected, signal.Signals(number).name)


async def test_a_server_that_shares_its_files_with_nobody_still_makes_cells(runs: Runs, run: Runner) -> None:
    before = os.umask(0o077)
    try:
        outcome = await run("bash", "umask; ls /usr/bin/env")
        await runs.empty()
    finally:
        os.umask(before)
    assert outcome.stdout == "0022\n/usr/bin/env\n"


async def test_there_are_attacks_of_every_kind_and_in_many_languages() -> None:
    assert all(len(attacks) >= 15 for attacks in GROUPS.values())
    assert sum(len(attacks) for attacks in GROUPS.values()) == len(ATTACKS) >= 150
    assert len([language for language, count in Counter(a.language for a in ATTACKS.values()).items() if count > 5]) > 6
