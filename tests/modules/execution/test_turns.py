"""Turns go round among owners, the line has an end, and nobody who leaves takes a place along."""

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.modules.execution.domain.lines import FairLine
from opencode.modules.execution.service.turns import Turn, Turns


def in_order(line: FairLine[str]) -> list[str]:
    """Everything that waits, as it would be taken."""
    taken: list[str] = []
    while popped := line.pop():
        taken.append(popped[0])
    return taken


def line_of(*things: str) -> FairLine[str]:
    """The first letter of a thing is its owner."""
    line: FairLine[str] = FairLine()
    for thing in things:
        line.push(thing[0], thing)
    return line


def test_one_thing_of_somebody_waits_for_one_of_each_other_owner_and_no_more() -> None:
    assert in_order(line_of("a1", "a2", "a3", "b1", "c1", "c2")) == ["a1", "b1", "c1", "a2", "c2", "a3"]


def test_who_comes_back_after_a_turn_stands_behind_those_who_wait() -> None:
    line = line_of("a1", "b1")
    assert line.pop() == ("a1", "a")
    line.push("a", "a2")
    assert in_order(line) == ["b1", "a2"]


def test_a_thing_waits_once_however_often_it_is_brought() -> None:
    assert in_order(line_of("a1", "a1", "b1")) == ["a1", "b1"]


@given(st.lists(st.integers(0, 3), max_size=30), st.data())
def test_the_number_ahead_is_how_many_are_really_taken_before(owners: list[int], data: st.DataObject) -> None:
    line: FairLine[str] = FairLine()
    for number, owner in enumerate(owners):
        line.push(str(owner), str(number))
    for _ in range(data.draw(st.integers(0, 5))):
        line.pop()
    for number in data.draw(st.lists(st.integers(0, 29), max_size=5)):
        line.remove(str(number))
    told = {str(number): line.ahead(str(number)) for number in range(len(owners))}
    taken = in_order(line)
    assert {thing: ahead for thing, ahead in told.items() if ahead is not None} == {
        thing: number for number, thing in enumerate(taken)
    }


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60))
def test_while_two_owners_wait_neither_gets_two_turns_more_than_the_other(owners: list[int]) -> None:
    line: FairLine[int] = FairLine()
    for number, owner in enumerate(owners):
        line.push(str(owner), number)
    left, had = Counter(owners), Counter[int]()
    while popped := line.pop():
        had[owners[popped[0]]] += 1
        waiting = [owner for owner in left if had[owner] < left[owner]]
        assert not waiting or max(had[owner] for owner in waiting) - min(had[owner] for owner in waiting) <= 1


async def settled(turn: Turn) -> int:
    async with asyncio.timeout(5):
        return await turn.settled


async def test_places_are_numbers_and_each_is_held_once() -> None:
    turns = Turns(2, longest_line=10)
    one, two, three = turns.ask("a"), turns.ask("a"), turns.ask("a")
    assert {one.place, two.place, three.place} == {0, 1, None}
    turns.leave(two)
    assert await settled(three) == 1


async def test_a_free_place_goes_to_the_owner_whose_turn_it_is() -> None:
    turns = Turns(1, longest_line=10)
    holder = turns.ask("a")
    greedy = [turns.ask("a") for _ in range(3)]
    modest = turns.ask("b")
    turns.leave(holder)
    assert await settled(greedy[0]) == 0
    turns.leave(greedy[0])
    assert await settled(modest) == 0


async def test_the_line_has_an_end() -> None:
    turns = Turns(1, longest_line=1)
    turns.ask("a")
    waiting = turns.ask("a")
    with pytest.raises(asyncio.QueueFull):
        turns.ask("b")
    waiting.give_up()
    await asyncio.sleep(0)
    assert turns.ask("b").place is None


async def test_who_gives_up_neither_counts_nor_gets_a_place() -> None:
    turns = Turns(1, longest_line=10)
    holder, first, second = turns.ask("a"), turns.ask("b"), turns.ask("c")
    first.give_up()
    turns.leave(holder)
    assert await settled(second) == 0
    turns.leave(first)
    turns.leave(second)
    assert turns.ask("d").place == 0
    assert turns.waiting == 0


async def test_a_place_given_in_the_moment_of_leaving_is_not_lost() -> None:
    turns = Turns(1, longest_line=10)
    holder, waiting = turns.ask("a"), turns.ask("b")
    turns.leave(holder)
    waiting.give_up()
    assert waiting.place == 0
    turns.leave(waiting)
    assert turns.ask("c").place == 0


async def test_the_number_ahead_is_told_at_first_and_each_time_it_falls() -> None:
    turns = Turns(1, longest_line=10)
    line = [turns.ask("a") for _ in range(4)]
    told: list[int] = []

    async def listen() -> None:
        async for ahead in turns.ahead(line[3]):
            told.append(ahead)
            heard.set()

    heard = asyncio.Event()
    listener = asyncio.create_task(listen())
    for turn in line[:3]:
        async with asyncio.timeout(5):
            await heard.wait()
        heard.clear()
        turns.leave(turn)
    async with asyncio.timeout(5):
        await listener
    assert told == [2, 1, 0]


async def test_listening_ends_when_the_turn_is_given_up() -> None:
    turns = Turns(1, longest_line=10)
    turns.ask("a")
    waiting = turns.ask("a")
    listener = asyncio.create_task(anext(turns.ahead(waiting)))
    assert await listener == 0
    rest = asyncio.create_task(_rest(turns, waiting))
    await asyncio.sleep(0)
    waiting.give_up()
    async with asyncio.timeout(5):
        assert await rest == [0]


async def _rest(turns: Turns, turn: Turn) -> list[int]:
    return [ahead async for ahead in turns.ahead(turn)]
