"""Ids: readable, unguessable, in the order of their making."""

import os
import time

from opencode.kernel.ids import is_id, new_id


def test_an_id_names_its_kind_and_has_26_letters_that_nobody_misreads() -> None:
    kind, _, letters = new_id("int").partition("_")
    assert kind == "int"
    assert len(letters) == 26
    assert not set(letters) & set("ILOUilou")
    assert letters == letters.upper()


def test_ids_are_all_different() -> None:
    assert len({new_id("run") for _ in range(10_000)}) == 10_000


def test_ids_sort_by_the_millisecond_of_their_making() -> None:
    ids: list[str] = []
    for _ in range(5):
        before = time.time_ns() // 1_000_000
        while time.time_ns() // 1_000_000 == before:
            pass
        ids.append(new_id("doc"))
    assert ids == sorted(ids)


def test_what_comes_from_outside_is_recognised_as_an_id_or_not() -> None:
    assert is_id(new_id("usr"), "usr")
    for text in ("", "usr", "usr_", new_id("tok"), new_id("usr").lower(), new_id("usr") + "0", "usr_" + "\0" * 26):
        assert not is_id(text, "usr")
    assert not is_id("usr_" + "🙂" * 26, "usr")


def test_two_processes_never_make_the_same_ids() -> None:
    new_id("run")  # so that there is chance in stock
    reader, writer = os.pipe()
    if not (child := os.fork()):
        os.write(writer, " ".join(new_id("run")[-16:] for _ in range(50)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert not set(os.read(reader, 10_000).decode().split()) & {new_id("run")[-16:] for _ in range(50)}
    os.close(reader)
    os.close(writer)
