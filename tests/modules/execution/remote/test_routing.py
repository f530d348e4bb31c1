"""Which runs go where."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

import pytest

from opencode.contracts.execution import (
    CaseFinished,
    CaseInput,
    ExecutionBusy,
    Language,
    LanguageUnknown,
    Output,
    RunEvent,
    RunRequest,
    SandboxUnavailable,
    SourceFile,
    StageStarted,
)
from opencode.kernel.versions import best_match
from opencode.modules.execution.errors import ServerUnreachable
from opencode.modules.execution.service import routing
from opencode.modules.execution.service.routing import RoutedRunner
from tests.doubles.runner import ScriptedRunner, language

HERE = (
    language("python", "Python", aliases=("py",), ending="py", versions=("3.11.2",)),
    language("haskell", "Haskell", aliases=("hs",), available=False, ending="hs"),
)
THERE = (
    language("python", "Python", aliases=("py",), ending="py", versions=("3.13.0", "3.11.2")),
    language("haskell", "Haskell", aliases=("hs",), ending="hs", versions=("9.4.7",)),
    language("dragon", "dragon", ending="dragon", versions=("1.9.8",)),
)


class ServerInMemory(ScriptedRunner):
    """A server that serves, is away, is busy, or is lost in the middle of a run."""

    def __init__(self, name: str, languages: tuple[Language, ...] = THERE) -> None:
        super().__init__(languages)
        self.name = name
        self.trouble: str | None = None
        self.is_away = False
        self.is_busy = False
        self.is_lost = False
        self.looks = 0
        self._has_answered = False

    async def check(self) -> None:
        self.looks += 1
        self.trouble = "It is away." if self.is_away else None
        self._has_answered = self._has_answered or not self.is_away

    def seen(self) -> tuple[Language, ...]:
        return THERE if self._has_answered else ()

    def has(self, language: str, version: str | None) -> bool:
        return any(
            language in (each.id, *each.aliases) and (version is None or best_match(version, each.versions))
            for each in self.seen()
        )

    async def run(self, request: RunRequest) -> AsyncGenerator[RunEvent, None]:
        if self.is_away:
            self.trouble = "It is away."
            raise ServerUnreachable(self.name, "refused")
        if self.is_busy:
            raise ExecutionBusy("It is busy.")
        if self.is_lost:
            yield StageStarted("run")
            raise SandboxUnavailable("It hung up.")
        async with aclosing(super().run(request)) as events:
            async for event in events:
                yield event


class Places:
    """Cells and two servers, and who ran what."""

    def __init__(self, *chosen: str) -> None:
        self.cells = ScriptedRunner(HERE)
        self.one, self.two = ServerInMemory("one"), ServerInMemory("two")
        self.routed = RoutedRunner(self.cells, [self.one, self.two], frozenset(chosen))

    @property
    def counts(self) -> tuple[int, int, int]:
        return len(self.cells.requests), len(self.one.requests), len(self.two.requests)

    async def run(self, name: str, version: str | None = None) -> list[RunEvent]:
        async with aclosing(self.routed.run(a_request(name, version))) as events:
            return [event async for event in events]


def a_request(name: str, version: str | None = None) -> RunRequest:
    return RunRequest("run_1", name, (SourceFile("main", b"out hi"),), version=version)


@pytest.fixture
async def places() -> AsyncGenerator[Places]:
    places = Places()
    yield places
    await places.routed.close()


async def test_what_the_cells_have_is_run_there_and_all_else_elsewhere(places: Places) -> None:
    await places.run("python")
    assert places.counts == (1, 0, 0)
    events = await places.run("haskell")
    assert places.counts[0] == 1
    assert Output("run", "stdout", b"hi\n") in events


async def test_a_version_that_the_cells_do_not_have_is_run_elsewhere(places: Places) -> None:
    await places.run("python", "3.11")
    assert places.counts == (1, 0, 0)
    await places.run("python", "3.13")
    assert sum(places.counts[1:]) == 1


async def test_servers_take_turns(places: Places) -> None:
    for _ in range(6):
        await places.run("haskell")
    assert places.counts == (0, 3, 3)


async def test_a_server_that_is_away_is_passed_over_and_comes_back(places: Places) -> None:
    await places.routed.look()
    places.one.is_away = True
    for _ in range(4):
        await places.run("haskell")
    assert places.counts == (0, 0, 4)
    assert places.routed.troubles() == {"one": "It is away."}
    places.one.is_away = False
    await places.routed.look()
    for _ in range(4):
        await places.run("haskell")
    assert places.counts == (0, 2, 6)


async def test_a_busy_server_is_passed_over_until_all_are(places: Places) -> None:
    places.one.is_busy = True
    for _ in range(3):
        await places.run("haskell")
    assert places.counts == (0, 0, 3)
    places.two.is_busy = True
    with pytest.raises(ExecutionBusy):
        await places.run("haskell")


async def test_a_run_that_somebody_has_heard_of_is_not_begun_again(places: Places) -> None:
    places.one.is_lost = places.two.is_lost = True
    with pytest.raises(SandboxUnavailable, match="hung up"):
        await places.run("haskell")
    assert places.counts == (0, 0, 0)


async def test_when_no_server_serves_the_reason_is_told_and_the_cells_go_on(places: Places) -> None:
    await places.routed.look()
    places.one.is_away = places.two.is_away = True
    await places.routed.look()
    with pytest.raises(SandboxUnavailable, match="It is away"):
        await places.run("haskell")
    await places.run("python")
    assert places.counts == (1, 0, 0)


async def test_what_nobody_has_is_unknown(places: Places) -> None:
    with pytest.raises(LanguageUnknown):
        await places.run("klingon")


async def test_languages_are_those_of_all_that_serve(places: Places) -> None:
    languages = {each.id: each for each in await places.routed.languages()}
    assert languages["python"].versions == ("3.11.2", "3.13.0")
    assert languages["haskell"].available
    assert languages["dragon"].version == "1.9.8"
    places.one.is_away = places.two.is_away = True
    await places.routed.look()
    languages = {each.id: each for each in await places.routed.languages()}
    assert languages["python"].versions == ("3.11.2",)
    assert not languages["haskell"].available
    assert "dragon" not in languages


async def test_chosen_languages_go_to_the_servers_first_and_no_others_do() -> None:
    places = Places("py")
    await places.run("python")
    assert places.counts[0] == 0
    with pytest.raises(LanguageUnknown):
        await places.run("haskell")
    languages = {each.id: each for each in await places.routed.languages()}
    assert languages["python"].versions == ("3.13.0", "3.11.2")
    assert "dragon" not in languages
    places.one.is_away = places.two.is_away = True
    await places.routed.look()
    before = places.counts
    await places.run("python")
    assert places.counts == (before[0] + 1, *before[1:])
    await places.routed.close()


async def test_all_cases_of_a_batch_go_to_one_place(places: Places) -> None:
    inputs = [CaseInput(b"1"), CaseInput(b"2"), CaseInput(b"3")]
    async with aclosing(places.routed.batch(a_request("haskell"), inputs)) as events:
        cases = [event async for event in events if isinstance(event, CaseFinished)]
    assert len(cases) == 3
    assert sorted(places.counts) == [0, 0, 3]


async def test_a_run_is_spoken_to_wherever_it_is(places: Places) -> None:
    request = replace(a_request("haskell"), files=(SourceFile("main", b"ask"),), live=True)
    events = places.routed.run(request)
    await anext(events)
    assert await places.routed.write(request.run_id, b"me\n")
    assert b"me" in b"".join([event.data async for event in events if isinstance(event, Output)])
    assert not await places.routed.stop(request.run_id)


async def test_servers_are_looked_at_only_while_somebody_uses_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routing, "CHECK_EVERY_S", 0.0)
    monkeypatch.setattr(routing, "IN_USE_S", 0.05)
    places = Places()
    assert places.one.looks == 0
    await places.run("haskell")
    watching = places.routed._watching  # pyright: ignore[reportPrivateUsage]
    assert watching
    await watching
    looks = places.one.looks
    assert looks >= 2
    await places.run("haskell")
    assert places.one.looks > looks
    await places.routed.close()
