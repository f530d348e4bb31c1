"""Programs that were up before they were known do what they do when they start from nothing."""

# ruff: noqa: E501 (programs in other languages are as wide as they are)

import os
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
import pytest_asyncio
from msgspec.structs import replace as but

from opencode.contracts.execution import Output, RunRequest, SourceFile, Terminal
from opencode.modules.execution.adapters import toolchains
from opencode.modules.execution.adapters.cells import Cell
from opencode.modules.execution.adapters.nursery import Nursery
from opencode.modules.execution.adapters.sandbox import PLAIN
from opencode.modules.execution.adapters.zygotes import Kind
from opencode.modules.execution.domain.programs import Warm
from opencode.modules.execution.service.runner import Runs
from opencode.modules.execution.settings import MIB, ExecutionSettings

from .runner import Outcome, Runner, new_run_id

pytestmark = pytest.mark.asyncio(loop_scope="session")

RUNTIMES = {runtime.id: runtime for runtime in toolchains.load()}
WARM = tuple(RUNTIMES[name] for name in ("java", "javascript", "typescript"))


@dataclass(frozen=True)
class Source:
    """A program, and what it is given."""

    code: str
    others: tuple[SourceFile, ...] = ()
    stdin: bytes = b""
    args: tuple[str, ...] = ()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def runs(settings: ExecutionSettings) -> AsyncIterator[Runs]:
    """In place of everybody's: with all that makes runs quick, but for the cache, which would hide the compilers."""
    runs = Runs(replace(settings, compile_cache_bytes=0), WARM)
    await runs.probe()
    await runs.prepare()
    yield runs
    await runs.close()


@pytest.fixture
def run(runs: Runs) -> Runner:
    return Runner(runs)


@pytest_asyncio.fixture(loop_scope="session")
async def cold(settings: ExecutionSettings) -> AsyncIterator[Runner]:
    """Keeps nothing ready."""
    runs = Runs(replace(settings, compile_cache_bytes=0, warm_cells=0), WARM)
    await runs.probe()
    yield Runner(runs)
    await runs.close()


async def warm_cells(runs: Runs, language: str) -> set[Cell]:
    """Those that wait, once there are some."""
    runs.expect(language)
    await runs.settle()
    ready = {cell for nursery in runs._sandbox._nurseries.values() for cell in nursery._ready if cell.is_warm}
    assert ready
    return ready


async def run_warm(run: Runner, language: str, source: Source) -> Outcome:
    ready = await warm_cells(run.runs, language)
    outcome = await run(language, source.code, others=source.others, stdin=source.stdin, args=source.args)
    used = [cell for cell in ready if not cell.is_alive]
    # Java has one for each stage, and a compiler that finds errors is the only one.
    expected = 2 if language == "java" and outcome.finished.stage == "run" else 1
    assert len(used) == expected
    return outcome


def seen(outcome: Outcome) -> tuple[object, ...]:
    finished = outcome.finished
    return outcome.stdout, outcome.stderr, finished.verdict, finished.exit_code, finished.signal, finished.message


async def assert_no_difference(run: Runner, cold: Runner, language: str, source: Source, part: str) -> None:
    expected = seen(await cold(language, source.code, others=source.others, stdin=source.stdin, args=source.args))
    assert part in f"{expected[0]}{expected[1]}"
    await cold.runs.empty()
    assert seen(await run_warm(run, language, source)) == expected


NODE = {
    "surroundings": (
        Source(
            "const { half } = require('./lib/half');\n"
            "const text = require('fs').readFileSync(0, 'utf8');\n"
            "console.log(half(8), text, process.argv, process.execArgv, process.env, process.title);\n"
            "console.log(require.main === module, module.parent, Object.keys(require.cache), module.paths, __filename);\n"
            "console.log(process.stdout.isTTY, process.stdin.isTTY, Object.keys(globalThis), process.listenerCount('exit'));\n"
            "console.error('to stderr');\n"
            "process.on('exit', code => console.log('exit', code));\n"
            "process.exitCode = 5;\n",
            (SourceFile("lib/half.js", b"exports.half = n => n / 2;\n"),),
            "grüße\n".encode(),
            ("a b", "", "naïve\n日本", "--flag"),
        ),
        "naïve",
    ),
    "an error that nobody catches": (
        Source("function f() {\n  null.x;\n}\nf();\n", args=("one",)),
        "main.js:2",
    ),
    "a rejection that nobody handles": (
        Source("setTimeout(() => console.log('later'), 5);\nPromise.reject(new Error('unkept'));\n"),
        "unkept",
    ),
    "what is no program": (Source("let x = ;\n"), "SyntaxError"),
    "a module": (
        Source(
            "import { half } from './half.mjs';\nimport process from 'node:process';\nawait 1;\n"
            "console.log(half(8), process.argv, import.meta.url, typeof require, this);\nthrow new Error('at last');\n",
            (
                SourceFile("package.json", b'{"type": "module"}'),
                SourceFile("half.mjs", b"export const half = n => n / 2;\n"),
            ),
        ),
        "at last",
    ),
    "others beside it": (
        Source(
            "const { Worker, isMainThread, threadId } = require('worker_threads');\n"
            "const { fork, execFileSync } = require('child_process');\n"
            "if (process.argv[2] === 'child') { console.log('child', process.argv, process.execArgv); process.exit(4); }\n"
            "if (!isMainThread) console.log('worker', threadId, process.execArgv, process.argv);\n"
            "else new Worker(__filename).on('exit', () => fork(__filename, ['child']).on('exit', code => {\n"
            "  console.log('left', code);\n"
            "  console.log(String(execFileSync(process.execPath, ['-p', 'process.argv'])));\n"
            "}));\n"
        ),
        "left 4",
    ),
}


@pytest.mark.parametrize("name", NODE)
async def test_a_node_program_cannot_tell(run: Runner, cold: Runner, name: str) -> None:
    source, part = NODE[name]
    await assert_no_difference(run, cold, "javascript", source, part)


async def test_a_typescript_program_cannot_tell(run: Runner, cold: Runner) -> None:
    source = Source(
        "import { half } from './half.ts';\nenum Colour { Red = 7 }\ninterface Shape { area(): number }\n"
        "class Square implements Shape { constructor(private size: number) {} area() { return this.size ** 2; } }\n"
        "console.log(new Square(half(4)).area(), Colour.Red, process.argv, process.execArgv);\n"
        "function fail(why: string): never { throw new RangeError(why); }\nfail('wide');\n",
        (SourceFile("half.ts", b"export const half = (n: number): number => n / 2;\n"),),
        args=("x",),
    )
    await assert_no_difference(run, cold, "typescript", source, "main.ts:6")


JAVA = {
    "surroundings": (
        Source(
            """
import java.util.*;

public class Main {
    static int depth(Throwable error) { return error.getStackTrace().length; }
    public static void main(String[] args) throws Exception {
        Scanner in = new Scanner(System.in);
        System.out.println(in.nextInt() + in.nextInt() + " " + in.next() + " " + args.length);
        new Throwable("grüße").printStackTrace();
        System.err.println(depth(new Throwable()) + " " + Thread.currentThread() + " " + Thread.activeCount());
        for (String name : "java.class.path user.dir sun.java.command file.encoding java.io.tmpdir".split(" "))
            System.out.println(name + "=" + System.getProperty(name));
        System.out.println(Runtime.getRuntime().maxMemory() + " " + System.getenv());
        System.out.println(Main.class.getClassLoader() == ClassLoader.getSystemClassLoader());
        Thread other = new Thread(() -> {
            System.out.println(Thread.currentThread().getName());
            throw new IllegalStateException("elsewhere");
        });
        other.start();
        other.join();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("the last word")));
        new Thread(() -> System.exit(3)).start();
    }
}
""",
            stdin="1 2 日本\n".encode(),
        ),
        "the last word",
    ),
    "an exception that nobody catches, in several files": (
        Source(
            "import shapes.Square;\npublic class Main {\n  public static void main(String[] args) {\n"
            "    try { new Square(-1); } catch (IllegalArgumentException wrong) {\n"
            '      throw new RuntimeException("outer", wrong);\n    }\n  }\n}\n',
            (
                SourceFile(
                    "shapes/Square.java",
                    b"package shapes;\npublic class Square {\n  public Square(int size) {\n"
                    b'    if (size < 0) throw new IllegalArgumentException("inner");\n  }\n}\n',
                ),
            ),
        ),
        "Caused by: java.lang.IllegalArgumentException: inner",
    ),
    "too much memory": (
        Source(
            "public class Main {\n  public static void main(String[] args) {\n"
            "    long[][] all = new long[9999][];\n    for (int n = 0; ; n++) all[n] = new long[1 << 17];\n  }\n}\n"
        ),
        "Java heap space",
    ),
    "what a compiler says": (
        Source(
            'import java.util.*;\npublic class Main {\n  List old = new ArrayList();\n  void f() { old.add(1); int x = "a"; g(); }\n}\n'
        ),
        "2 errors",
    ),
    "no main": (Source("public class Main { int warning; Main() { new Thread().stop(); } }\n"), "main"),
}


@pytest.mark.parametrize("name", JAVA)
async def test_a_java_program_and_its_compiler_cannot_tell(run: Runner, cold: Runner, name: str) -> None:
    source, part = JAVA[name]
    await assert_no_difference(run, cold, "java", source, part)


# ------------------------------------------------------------------------------------------------- what is not theirs


async def test_the_pipes_that_a_machine_waited_on_lead_nowhere(run: Runner) -> None:
    source = Source(
        """
import java.io.*;

public class Main {
    public static void main(String[] args) throws Exception {
        System.out.println(new FileInputStream("/proc/self/fd/3").read());
        try (OutputStream out = new FileOutputStream("/proc/self/fd/4")) { out.write(1); System.out.println("written"); }
        catch (IOException gone) { System.out.println("gone"); }
        System.out.println(new File("/tmp").list().length + " " + new File("/proc").list((d, n) -> n.matches("[0-9]+")).length);
    }
}
"""
    )
    # In /tmp are the classes only; of processes this one is seen.
    assert (await run_warm(run, "java", source)).stdout == "-1\ngone\n1 1\n"


async def test_a_node_program_finds_none_of_them_open(run: Runner) -> None:
    source = Source(
        "const fs = require('fs');\nconst open = fs.readdirSync('/proc/self/fd');\nconsole.log(open.includes('4'));\n"
        "const file = fs.openSync('/dev/null');\nconsole.log(file);\n"
    )
    assert (await run_warm(run, "javascript", source)).stdout == "false\n3\n"


# ------------------------------------------------------------------------------------------------------- when they are


async def test_a_warm_cell_serves_once(run: Runner, runs: Runs) -> None:
    ready = await warm_cells(runs, "javascript")
    plant = "require('fs').writeFileSync('/tmp/left', ''); globalThis.left = 1; console.log(process.pid)"
    look = "console.log(require('fs').readdirSync('/tmp'), globalThis.left)"
    assert (await run("javascript", plant)).verdict == "ok"
    assert not any(cell.is_alive for cell in ready)
    await runs.settle()
    assert (await run_warm(run, "javascript", Source(look))).stdout == "[] undefined\n"


@pytest.mark.parametrize(
    ("what", "change"),
    [("limits", {"memory_bytes": 300 * MIB}), ("name", {"name": "solution.js"})],
    ids=["limits", "name"],
)
async def test_what_is_part_of_the_command_starts_anew(
    run: Runner, runs: Runs, what: str, change: dict[str, object]
) -> None:
    ready = await warm_cells(runs, "javascript")
    code = "console.log(process.execArgv[0], require('path').basename(process.argv[1]))"
    outcome = await run("javascript", code, **change)  # pyright: ignore[reportArgumentType]
    expected = "--max-old-space-size=300 main.js\n" if what == "limits" else " solution.js\n"
    assert outcome.stdout.endswith(expected)
    assert all(cell.is_alive for cell in ready)


async def test_a_program_on_a_terminal_starts_anew(runs: Runs) -> None:
    ready = await warm_cells(runs, "javascript")
    source = SourceFile("main.js", b"console.log(process.stdout.isTTY, process.stdout.columns)")
    request = RunRequest(new_run_id(), "javascript", (source,), terminal=Terminal(columns=70, rows=20))
    printed = b"".join([event.data async for event in runs.run(request) if isinstance(event, Output)])
    assert b"true 70" in printed
    assert all(cell.is_alive for cell in ready)


async def test_a_program_that_waited_is_held_to_the_limits_of_its_run(run: Runner) -> None:
    ready = await warm_cells(run.runs, "javascript")
    outcome = await run("javascript", "console.log('here I am'); for (;;);", cpu_time_ms=300)
    assert (outcome.verdict, outcome.stdout) == ("cpu_time", "here I am\n")
    assert 300 <= outcome.finished.cpu_time_ms < 2000
    assert not any(cell.is_alive for cell in ready)
    await warm_cells(run.runs, "javascript")
    outcome = await run("javascript", "setTimeout(() => {}, 60000); console.log('here I am')", wall_time_ms=500)
    assert (outcome.verdict, outcome.stdout) == ("wall_time", "here I am\n")


async def test_one_that_ended_while_it_waited_is_passed_over(run: Runner, runs: Runs) -> None:
    for cell in await warm_cells(runs, "javascript"):
        os.kill(cell.newborn.pid, signal.SIGKILL)
        await cell.newborn.ended
    assert (await run("javascript", "console.log('fine')")).stdout == "fine\n"


async def test_a_program_that_does_not_come_up_costs_nobody_a_run(settings: ExecutionSettings) -> None:
    broken = but(RUNTIMES["javascript"], warm=Warm(command=("/bin/sh", "-c", "exit 1")))
    runs = Runs(settings, (broken,))
    for number in range(2):
        assert (await Runner(runs)("javascript", f"console.log({number})")).stdout == f"{number}\n"
        await runs.settle()
    await runs.close()


async def test_in_a_rush_no_program_is_started_early(runs: Runs) -> None:
    nursery = Nursery(await runs._sandbox.open(), Kind(PLAIN.surroundings, warm=("/bin/true",)), None)
    nursery._making_s = 2.0
    nursery._demand.note(time.monotonic())
    assert nursery._wanted() == 2
    for _ in range(30):
        nursery._demand.note(time.monotonic())
    assert nursery._wanted() == 0


async def test_of_costly_ones_no_more_wait_than_their_file_says(run: Runner, runs: Runs) -> None:
    for _ in range(4):
        runs.expect("java")
        await runs.settle()
    assert len(await warm_cells(runs, "java")) == 2
