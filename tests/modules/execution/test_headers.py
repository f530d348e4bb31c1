"""Headers that were compiled ahead make a compiler quicker and change nothing that it says or makes."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as but

from opencode.contracts.execution import SourceFile
from opencode.modules.execution.adapters import toolchains
from opencode.modules.execution.adapters.headers import HeaderShelf
from opencode.modules.execution.domain.programs import Headers, Include, leading_includes
from opencode.modules.execution.service.runner import Runs
from opencode.modules.execution.settings import ExecutionSettings

from .runner import Outcome, Runner

in_session = pytest.mark.asyncio(loop_scope="session")

CPP = next(runtime for runtime in toolchains.load() if runtime.id == "cpp")
HELLO = '#include <iostream>\nint main() { std::cout << "hello" << std::endl; }\n'


# ------------------------------------------------------------------------------------------------- what is looked for


def a_shelf(folder: Path, searched: tuple[Path, ...] = (), most_bytes: int = 1 << 30) -> HeaderShelf:
    return HeaderShelf(folder, "state", ("false",), searched, "main.cpp", most_bytes)


@given(
    st.lists(st.text(min_size=1) | st.sampled_from(["stdio.h", "../map", "/etc/passwd", "sub/map", "map\n#x", "own.h"]))
)
def test_no_name_climbs_out_or_says_anything_but_a_header(names: list[str]) -> None:
    prefix = a_shelf(Path("shelf"), (Path("/usr/include"),))._prefix(tuple(Include(1, name) for name in names))
    assert ".." not in prefix
    assert all(line.startswith(("#include <", "# 1 ")) and "/" not in line for line in prefix.splitlines())


def test_a_header_that_the_compiler_does_not_have_is_none(tmp_path: Path) -> None:
    (tmp_path / "map").touch()
    (tmp_path / "own.h").touch()
    shelf = a_shelf(tmp_path / "shelf", (tmp_path,))
    assert shelf._prefix((Include(4, "map"),)) == '# 4 "main.cpp"\n#include <map>\n'
    for name in ("set", "own.h", "map/", "./map"):
        assert shelf._prefix((Include(4, "map"), Include(5, name))) == ""


def test_they_are_made_with_the_options_of_the_compiler() -> None:
    assert CPP.headers
    flags = [word for word in CPP.headers.make if word.startswith("-") and word != "-x"]
    of_the_linker = ("-o", "-fno-use-linker-plugin")
    assert flags == [word for word in CPP.compile if word.startswith("-") and word not in of_the_linker]


# ---------------------------------------------------------------------------------------------------- what they change


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def runs(settings: ExecutionSettings) -> AsyncIterator[Runs]:
    """In place of everybody's: C++ only, with what the programs below begin with."""
    ahead = (("iostream",), ("algorithm", "list"))
    runs = Runs(replace(settings, compile_cache_bytes=0), (but(CPP, headers=but(headers_of_cpp(), ahead=ahead)),))
    await runs.probe()
    await runs.prepare()
    yield runs
    await runs.close()


def headers_of_cpp() -> Headers:
    assert CPP.headers
    return CPP.headers


@pytest.fixture
def run(runs: Runs) -> Runner:
    return Runner(runs)


@pytest_asyncio.fixture(loop_scope="session")
async def plain(settings: ExecutionSettings) -> AsyncIterator[Runner]:
    runs = Runs(replace(settings, compile_cache_bytes=0, header_bytes=0), (CPP,))
    await runs.probe()
    await runs.prepare()
    yield Runner(runs)
    await runs.close()


def shelf_of(runs: Runs) -> HeaderShelf:
    (headers,) = runs._headers.values()
    return headers


def options(runs: Runs, code: str) -> tuple[str, ...]:
    return shelf_of(runs).options_for(leading_includes(CPP, [SourceFile("main.cpp", code.encode())]))


def seen(outcome: Outcome) -> tuple[str, str, str]:
    return outcome.stdout, outcome.stderr, outcome.verdict


PROGRAMS = {
    "warnings": (
        HELLO.replace("int main() {", "int main() { int unused; for (unsigned n = 0; n < -1; n++) break;"),
        "unused",
    ),
    "an error": (HELLO.replace("std::endl", "std::end1\n"), "main.cpp:2"),
    "a name that nobody included": (HELLO.replace("<< std::endl", "<< std::vector<int>{1}[0]"), "vector"),
    "an error far inside a header": (
        "#include <algorithm>\n#include <list>\nint main() { std::list<int> l; std::sort(l.begin(), l.end()); }\n",
        "from main.cpp:1:",
    ),
    "its own line": (
        "#include <iostream>\nint main() { std::cout << __FILE__ << __LINE__ << __COUNTER__ << __BASE_FILE__; }",
        "main.cpp2",
    ),
}


@in_session
@pytest.mark.parametrize("name", PROGRAMS)
async def test_a_compiler_says_the_same(run: Runner, runs: Runs, plain: Runner, name: str) -> None:
    code, part = PROGRAMS[name]
    assert options(runs, code)[0] == "-include"
    own = (SourceFile("vector", b"#error not this one\n"), SourceFile("iostream", b"#error nor this\n"))
    expected = seen(await plain("cpp", code, others=own))
    await plain.runs.empty()
    assert part in f"{expected[0]}{expected[1]}"
    assert seen(await run("cpp", code, others=own)) == expected


@in_session
async def test_what_a_program_defines_before_its_headers_counts(run: Runner, runs: Runs) -> None:
    code = "#define NDEBUG\n#include <cassert>\n#include <iostream>\nint main() { assert(false); std::cout << 1; }\n"
    assert options(runs, code) == ()
    assert (await run("cpp", code)).stdout == "1"


@in_session
async def test_what_nobody_asked_for_yet_is_made_behind_the_first_who_does(run: Runner, runs: Runs) -> None:
    code = "#include <cstdio>\n\n#include <string>\nint main() { std::puts(std::string(3, 'a').c_str()); }\n"
    assert (await run("cpp", code)).stdout == "aaa\n"
    headers = shelf_of(runs)
    async with asyncio.timeout(60):
        while headers._wanted:
            await asyncio.sleep(0.02)  # what is made tells nobody
    assert options(runs, code)[0] == "-include"
    assert (await run("cpp", code)).stdout == "aaa\n"


@in_session
async def test_headers_that_complain_are_not_kept(tmp_path: Path, runs: Runs) -> None:
    real = shelf_of(runs)
    shelf = HeaderShelf(tmp_path, "", real.command, real.searched, "main.cpp", 1 << 30)
    old = (Include(1, "strstream"),)  # warns that it is old
    await shelf.make(old)
    assert list(tmp_path.iterdir()) == []
    assert shelf.options_for(old) == ()
    assert not shelf._wanted


@in_session
async def test_the_oldest_make_room_and_those_in_use_stay(tmp_path: Path) -> None:
    shelf = a_shelf(tmp_path, most_bytes=3000)
    for number in range(3):
        place = tmp_path / f"{number}"
        place.mkdir()
        (place / "prefix.hpp.gch").write_bytes(bytes(1000))
        long_ago = time.time() - 5000 + number
        os.utime(place, (long_ago, long_ago))
    shelf._make_room()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "2"]
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / "prefix.hpp.gch").write_bytes(bytes(2500))
    for place in tmp_path.iterdir():
        os.utime(place)
    with pytest.raises(OSError, match="in use"):
        shelf._make_room()
    assert len(list(tmp_path.iterdir())) == 3
