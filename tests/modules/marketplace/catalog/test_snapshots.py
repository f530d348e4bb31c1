"""An index kept in a folder: what is loaded answers as what was kept, and whatever is wrong with it is noticed."""

import asyncio
import errno
import fcntl
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog.testing

from opencode.kernel.ids import ProjectId, id_of, new_id
from opencode.modules.marketplace.adapters.catalog import AtOnce, EmbeddedCatalog, snapshot_file, snapshots
from opencode.modules.marketplace.adapters.catalog.columns import Columns, Key, keys_of
from opencode.modules.marketplace.adapters.catalog.numbering import Numbering
from opencode.modules.marketplace.adapters.catalog.snapshots import FolderSnapshots
from opencode.modules.marketplace.adapters.catalog.within import WithinCatalog
from opencode.modules.marketplace.domain import contents
from opencode.modules.marketplace.domain.catalog import Filters, Found, Listing, Order, Search, Standing

WORDS = ("fast", "api", "tree", "parser", "json", "größe", "c++", "日本", "İstanbul")


def listing(chance: random.Random, project_id: ProjectId | None = None) -> Listing:
    return Listing(
        id=project_id or ProjectId(new_id("prj")),
        name="-".join(chance.sample(WORDS, 2)),
        title=" ".join(chance.sample(WORDS, 3)),
        summary=" ".join(chance.choices(WORDS, k=5)),
        owner=f"author{chance.randint(1, 5)}",
        created_at=chance.randint(1, 10**6),
        updated_at=chance.randint(1, 40),
        technologies=tuple(chance.sample(("Python", "Rust", "Go"), chance.randint(0, 2))),
        tags=tuple(chance.sample(("web", "cli", "data"), chance.randint(0, 2))),
        license=chance.choice(("MIT", "Apache-2.0", "")),
        standing=Standing(float(chance.randint(0, 50)), float(chance.randint(0, 9))),
        version=chance.getrandbits(63),
    )


TEXTS = ("", "fast", "api tr", "json parser", "größe", "jsn", "日本", "fast-api")
FILTERS = (Filters(), Filters(technologies=("python",)), Filters(tags=("web", "cli"), license="mit"))
SEARCHES = [Search(text, some, order, limit=5000) for text in TEXTS for some in FILTERS for order in Order]


def answers(index: AtOnce) -> list[Found]:
    return [index.index.search(search) for search in SEARCHES]


def without_scores(index: AtOnce) -> list[object]:
    """As `answers`: how rare words are moves scores a little, and that is told by what was there when it was filled."""
    told: list[object] = [index.index.named(["fastapi", "jsontree"], 100)]
    for search, found in zip(SEARCHES, answers(index), strict=True):
        ids = [hit.id for hit in found.hits]
        is_scored = search.order is Order.RELEVANCE and search.text
        told.append((found.total, found.facets, found.corrected, sorted(ids) if is_scored else ids))
    return told


async def filled(count: int, seed: int = 1) -> AtOnce:
    index, chance = AtOnce(EmbeddedCatalog), random.Random(seed)
    await index.put(listing(chance) for _ in range(count))
    await index.seal()
    return index


def the_file(folder: Path) -> Path:
    return folder / "index"


async def refused(folder: Path) -> str:
    """Why what is there is not used; it must be said once."""
    with structlog.testing.capture_logs() as logs:
        assert await FolderSnapshots(folder).load() is None
    (said,) = logs
    return str(said.get("why", said["event"]))


async def test_what_is_loaded_answers_exactly_as_what_was_kept(tmp_path: Path) -> None:
    index, chance = await filled(300), random.Random(2)
    await FolderSnapshots(tmp_path).save(index)
    loaded = await FolderSnapshots(tmp_path).load()
    assert loaded
    assert answers(loaded) == answers(index)
    some = [each.id for each in index.index.known(index.index.ids_between("", "", 300))][::7]
    changed = [listing(chance, project_id) for project_id in some] + [listing(chance) for _ in range(9)]
    for each in (index, loaded):
        await each.put(changed)
        await each.remove(some[:5])
        await each.stand((project_id, Standing(7.0, 3.0)) for project_id in some[5:9])
        await each.settle()
    assert answers(loaded) == answers(index)


async def test_what_has_no_words_and_what_has_many_come_back_as_they_were(tmp_path: Path) -> None:
    index = AtOnce(EmbeddedCatalog)
    bare = Listing(ProjectId(new_id("prj")), name="", title="", summary="", owner="", created_at=0, updated_at=0)
    await index.put([bare])
    await FolderSnapshots(tmp_path).save(index)
    assert await FolderSnapshots(tmp_path).load() is not None  # nothing is sealed, so nothing is in it
    await index.seal()
    await index.stand([(bare.id, Standing(1.0))])
    await FolderSnapshots(tmp_path).save(index)
    loaded = await FolderSnapshots(tmp_path).load()
    assert loaded
    assert answers(loaded) == answers(index)


async def test_one_byte_that_is_another_is_noticed_wherever_it_is(tmp_path: Path) -> None:
    await FolderSnapshots(tmp_path).save(await filled(60))
    path, chance = the_file(tmp_path), random.Random(3)
    good = path.read_bytes()
    places = [*range(12), *range(len(good) - 60, len(good)), *(chance.randrange(len(good)) for _ in range(120))]
    for place in places:
        path.write_bytes(good[:place] + bytes([good[place] ^ 1 << chance.randrange(8)]) + good[place + 1 :])
        assert await refused(tmp_path), place
    path.write_bytes(good)
    assert await FolderSnapshots(tmp_path).load()


async def test_half_a_file_an_empty_one_a_longer_one_and_a_folder_are_none(tmp_path: Path) -> None:
    assert "no snapshot" in await refused(tmp_path)
    await FolderSnapshots(tmp_path).save(await filled(60))
    path = the_file(tmp_path)
    good = path.read_bytes()
    for length in (0, 1, 47, 48, 49, len(good) // 2, len(good) - 1):
        path.write_bytes(good[:length])
        assert await refused(tmp_path), length
    for raw in (good + b"\0", good[:8] + good, good + good, b"\0" * len(good), good[:8] + b"\xff" * 48 + good[-8:]):
        path.write_bytes(raw)
        assert await refused(tmp_path)
    path.unlink()
    path.mkdir()
    assert "IsADirectory" in await refused(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FORMAT", 10**6),
        ("__version__", "0.0.1"),
        ("_how_words_are_made", lambda: "otherwise"),
        ("unicodedata.unidata_version", "1.1.0"),
        ("sys.byteorder", "middle"),
    ],
)
async def test_what_another_program_has_written_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: Any
) -> None:
    with monkeypatch.context() as other:
        other.setattr(f"opencode.modules.marketplace.adapters.catalog.snapshots.{name}", value)
        await FolderSnapshots(tmp_path).save(await filled(20))
    assert " is " in await refused(tmp_path)


async def test_words_that_are_made_otherwise_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    before = snapshots._how_words_are_made()
    monkeypatch.setattr(contents, "SATURATION", 5.0)
    monkeypatch.setattr(contents, "_IMPACTS", contents._Impacts())
    snapshots._how_words_are_made.cache_clear()
    assert snapshots._how_words_are_made() != before
    monkeypatch.undo()
    snapshots._how_words_are_made.cache_clear()
    assert snapshots._how_words_are_made() == before


async def test_an_index_much_of_which_is_gone_is_not_used_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "_FEW", 10)
    index = await filled(60)
    await index.remove(index.index.ids_between("", "", 30))
    await FolderSnapshots(tmp_path).save(index)
    assert "gone" in await refused(tmp_path)


async def caught_up(loaded: WithinCatalog, truth: dict[ProjectId, Listing]) -> set[ProjectId]:
    """What a look finds to be otherwise than the truth, which is brought in step then."""
    look, ids = loaded.look_through(), sorted(truth)
    outdated = await look.outdated(ids, [truth[each].version for each in ids])
    outdated += await look.unpublished()
    standings = [truth[each].standing or Standing() for each in ids]
    stood = await look.standing_otherwise(ids, [s.popularity for s in standings], [s.trending for s in standings])
    loaded.index.remove([each for each in outdated if each not in truth])
    loaded.index.put([truth[each] for each in outdated if each in truth])
    loaded.index.stand([(each, truth[each].standing or Standing()) for each in stood])
    return {*outdated, *stood}


@pytest.mark.parametrize("seed", range(4))
async def test_what_changes_while_it_is_written_is_caught_up_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    index, truth = AtOnce(EmbeddedCatalog), dict[ProjectId, Listing]()
    arrays = snapshots._arrays

    def change() -> None:
        new = [listing(chance) for _ in range(chance.randint(0, 40))]
        changed = [listing(chance, each) for each in chance.sample(sorted(truth), min(3, len(truth)))]
        gone = chance.sample(sorted(truth), min(2, len(truth)))
        index.index.put([*new, *changed])
        truth.update({each.id: each for each in [*new, *changed]})
        index.index.remove(gone)
        for each in gone:
            truth.pop(each)
        for each in chance.sample(sorted(truth), min(9, len(truth))):
            standing = Standing(float(chance.randint(0, 99)), float(chance.randint(0, 9)))
            truth[each] = replace(truth[each], standing=standing)
            index.index.stand([(each, standing)])
        if chance.random() < 0.5:
            index.index.search(Search("fast"))
        if chance.random() < 0.3:
            index.index.settle()

    def changing_meanwhile(content: Any) -> Iterator[tuple[str, Any]]:
        for each in arrays(content):
            change()
            yield each

    for _ in range(30):
        change()
    monkeypatch.setattr(snapshots, "_arrays", changing_meanwhile)
    await FolderSnapshots(tmp_path).save(index)
    loaded = await FolderSnapshots(tmp_path).load()
    assert loaded
    assert await caught_up(loaded, truth)
    assert await caught_up(loaded, truth) == set()
    anew = AtOnce(EmbeddedCatalog)
    await anew.put(truth.values())
    assert without_scores(loaded) == without_scores(anew)


_WRITES_FOR_EVER = """
import asyncio, os, sys
from pathlib import Path
from opencode.modules.marketplace.adapters.catalog import AtOnce, EmbeddedCatalog, snapshot_file, snapshots
from opencode.modules.marketplace.domain.catalog import Listing

where, folder = sys.argv[1], Path(sys.argv[2])

def hang(*_):
    print("here", flush=True)
    sys.stdin.read()

if where == "writing":
    snapshot_file._BLOCK_BYTES = 1000
    snapshot_file._SAFE_EVERY_BYTES = 5000
    snapshot_file._make_safe = hang
elif where == "renaming":
    Path.replace = hang
else:
    snapshots._make_safe = hang

async def main():
    index = AtOnce(EmbeddedCatalog)
    made = "prj_0123456789ABCDEFGHJKMNPQRS"
    await index.put([Listing(made, "new", "new", "new", "new", 1, 1, description="many " * 500)])
    await index.seal()
    await snapshots.FolderSnapshots(folder).save(index)

asyncio.run(main())
"""


@pytest.mark.parametrize(("where", "projects"), [("writing", 40), ("renaming", 40), ("renamed", 1)])
async def test_a_process_that_is_killed_while_it_writes_leaves_a_whole_snapshot(
    tmp_path: Path, where: str, projects: int
) -> None:
    await FolderSnapshots(tmp_path).save(await filled(40))
    command = [sys.executable, "-c", _WRITES_FOR_EVER, where, str(tmp_path)]
    process = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout
    assert await process.stdout.readline() == b"here\n"
    process.send_signal(signal.SIGKILL)
    await process.wait()
    assert len(list(tmp_path.glob("*.part"))) == (where != "renamed")
    loaded = await FolderSnapshots(tmp_path).load()
    assert loaded
    assert len(loaded.index) == projects
    # What was left behind is cleared away by the next who writes.
    await FolderSnapshots(tmp_path).save(await filled(3))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index", "lock"]


async def test_a_full_disk_leaves_the_snapshot_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = FolderSnapshots(tmp_path)
    await kept.save(await filled(40))

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    index = await filled(3)
    with monkeypatch.context() as full, structlog.testing.capture_logs() as logs:
        full.setattr(snapshot_file, "_make_safe", fail)
        await kept.save(index)
    assert [entry["log_level"] for entry in logs] == ["warning"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index", "lock"]
    loaded = await FolderSnapshots(tmp_path).load()
    assert loaded
    assert len(loaded.index) == 40
    await kept.save(index)  # it was not kept, so it is tried again
    loaded = await FolderSnapshots(tmp_path).load()
    assert loaded
    assert len(loaded.index) == 3


async def test_while_another_process_writes_nobody_else_does(tmp_path: Path) -> None:
    kept = FolderSnapshots(tmp_path)
    await kept.save(await filled(40))
    index = await filled(3)
    with (tmp_path / "lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = the_file(tmp_path).stat()
        await kept.save(index)
        assert the_file(tmp_path).stat() == before
    await kept.save(index)
    assert the_file(tmp_path).stat().st_ino != before.st_ino


async def test_two_who_write_at_once_in_one_process_leave_a_whole_one(tmp_path: Path) -> None:
    kept, index = FolderSnapshots(tmp_path), await filled(40)
    await asyncio.gather(*(kept.save(index) for _ in range(5)))
    loaded = await FolderSnapshots(tmp_path).load()
    assert loaded
    assert answers(loaded) == answers(index)


async def test_it_is_written_anew_only_when_something_has_changed_and_unasked_only_when_much_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "DUE_LEAST", 10)
    monkeypatch.setattr(snapshots, "_FEW", 30)
    index, chance = await filled(40), random.Random(5)
    kept = FolderSnapshots(tmp_path)

    async def is_written(*, only_if_due: bool) -> bool:
        before = the_file(tmp_path).stat().st_ino if the_file(tmp_path).exists() else 0
        await kept.save(index, only_if_due=only_if_due)
        return the_file(tmp_path).exists() and the_file(tmp_path).stat().st_ino != before

    assert await is_written(only_if_due=True)
    assert not await is_written(only_if_due=False)
    await index.put(listing(chance) for _ in range(10))
    assert not await is_written(only_if_due=True)
    await index.put([listing(chance)])
    assert await is_written(only_if_due=True)
    some = index.index.ids_between("", "", 1)
    await index.stand((each, Standing(3.0)) for each in some)
    assert await is_written(only_if_due=False)
    await index.remove(some)
    assert await is_written(only_if_due=False)
    loaded = await kept.load()
    assert loaded
    index = loaded
    assert not await is_written(only_if_due=False)
    await AtOnce(EmbeddedCatalog).seal()
    index = AtOnce(EmbeddedCatalog)
    assert not await is_written(only_if_due=False)  # nothing ever came into it


async def test_others_indexes_are_not_kept(tmp_path: Path) -> None:
    class Other:
        is_shared = True

    await FolderSnapshots(tmp_path).save(Other())  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_many_ids_are_read_at_once_as_each_of_them_is() -> None:
    chance = random.Random(6)
    numbers = [0, 1, (1 << 128) - 1, 1 << 127, (1 << 64) - 1, 1 << 64, *(chance.getrandbits(128) for _ in range(200))]
    ids = [id_of("prj", number) for number in numbers]
    high, low = keys_of(ids)
    assert list(map(Key, high.tolist(), low.tolist())) == list(map(Key.of, ids))
    assert [len(part) for part in keys_of([])] == [0, 0]
    for bad in ("prj_" + "U" * 26, "prj_" + "0" * 25, "prj_" + "0" * 25 + "é", ""):
        with pytest.raises(ValueError, match="an id"):
            keys_of([ids[0], bad])


def test_many_numbers_are_found_at_once_as_each_of_them_is(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(7)
    columns = Columns()
    numbering = Numbering(columns)
    known: list[Key] = []
    for round_ in range(400):
        # Few upper halves, so that many ids share theirs.
        key = Key(chance.randint(1, 5), chance.randint(0, 60))
        if (before := numbering.find(key)) is not None:
            columns.alive[before] = False
        if chance.random() < 0.8:
            numbering.add(key, columns.add(key, listing(chance, key.id), Standing()))
            known.append(key)
        if round_ % 97 == 0:
            numbering.take_up()
    asked = [*known, *(Key(high, low) for high in range(7) for low in range(0, 64, 5))]
    high, low = keys_of([key.id for key in asked])
    one_by_one = [-1 if (number := numbering.find(key)) is None else number for key in asked]
    assert numbering.find_all(high, low).tolist() == one_by_one
    assert max(one_by_one) >= 0
