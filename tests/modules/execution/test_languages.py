"""Every language that comes with OpenCode and whose toolchain is here really runs."""

# ruff: noqa: E501 (programs in other languages are as wide as they are)

import pytest

from opencode.contracts.execution import LanguageUnknown, SourceFile
from opencode.modules.execution.adapters import toolchains
from opencode.modules.execution.service.runner import Runs

from .runner import Runner

pytestmark = pytest.mark.asyncio(loop_scope="session")

ALWAYS_HERE = {"bash", "c", "cpp", "java", "javascript", "python", "typescript"}
RUNTIMES = toolchains.load()


@pytest.mark.parametrize("runtime", RUNTIMES, ids=[runtime.id for runtime in RUNTIMES])
@pytest.mark.parametrize("which", ["hello", "template"])
async def test_a_language_says_hello(runs: Runs, run: Runner, runtime: toolchains.Runtime, which: str) -> None:
    language = next(one for one in await runs.languages() if one.id == runtime.id)
    if not language.available and runtime.id not in ALWAYS_HERE:
        pytest.skip(language.reason or "")
    outcome = await run(runtime.id, getattr(runtime, which))
    assert (outcome.stdout, outcome.stderr, outcome.verdict) == ("Hello, world!\n", "", "ok"), outcome.finished
    assert outcome.finished.exit_code == 0


READS_INPUT = {
    "python": "import sys; print(input(), sys.argv[1:])",
    "javascript": "const text = require('fs').readFileSync(0, 'utf8'); console.log(text.trim(), process.argv.slice(2));",
    "typescript": "import { readFileSync } from 'node:fs';\nenum E { A }\n"
    "console.log(readFileSync('/dev/stdin', 'utf8').trim(), process.argv.slice(2), E.A);",
    "c": '#include <stdio.h>\nint main(int n, char **a) { char s[99]; fgets(s, 99, stdin); printf("%s%s", s, a[1]); }',
    "cpp": "#include <iostream>\nint main(int n, char **a) { std::string s; std::getline(std::cin, s); std::cout << s << a[1]; }",
    "java": "class Main { public static void main(String[] a) { "
    "System.out.println(new java.util.Scanner(System.in).nextLine() + a[0]); } }",
    "bash": 'read -r line; echo "$line $1"',
}


@pytest.mark.parametrize("language", READS_INPUT)
async def test_input_arguments_and_unicode_reach_a_program(run: Runner, language: str) -> None:
    outcome = await run(language, READS_INPUT[language], stdin="grüße 🎉\n".encode(), args=("naïve 日本",))
    assert outcome.verdict == "ok", outcome.events
    assert "grüße 🎉" in outcome.stdout
    assert "naïve 日本" in outcome.stdout


@pytest.mark.parametrize(
    ("language", "code", "complaint"),
    [
        ("c", "int main(void) { retrun 0; }", "retrun"),
        ("cpp", "int main() { std::cout << 1; }", "std"),
        ("java", 'public class Main { int x = "a"; }', "incompatible types"),
        pytest.param("rust", 'fn main() { let x: i32 = "a"; }', "mismatched", id="rust"),
    ],
)
async def test_a_compiler_that_finds_errors_shows_them(
    runs: Runs, run: Runner, language: str, code: str, complaint: str
) -> None:
    if not next(one for one in await runs.languages() if one.id == language).available:
        pytest.skip("not installed")
    outcome = await run(language, code)
    assert (outcome.verdict, outcome.finished.stage) == ("compile_error", "compile")
    assert complaint in outcome.stderr
    assert "errors" in outcome.finished.message


async def test_a_java_class_may_have_any_name(run: Runner) -> None:
    body = (
        "{ public static void main(String[] a) { System.out.println(new Object(){}.getClass().getEnclosingClass()); } }"
    )
    outcome = await run("java", f"package a.b;\n\npublic final class Solution {body}")
    assert outcome.stdout == "class a.b.Solution\n", outcome.events
    outcome = await run("java", f"class Node {{ int value; }}\nclass Answer {body}")
    assert outcome.stdout == "class Answer\n", outcome.events


async def test_a_program_of_several_files_finds_them(run: Runner) -> None:
    tree = SourceFile("lib/tree.py", b"def leaves(): return 3\n")
    assert (await run("python", "from lib.tree import leaves; print(leaves())", others=(tree,))).stdout == "3\n"
    header = SourceFile("half.h", b"int half(int);\n")
    half = SourceFile("half.c", b"int half(int n) { return n / 2; }\n")
    code = '#include "half.h"\n#include <stdio.h>\nint main(void) { printf("%d", half(8)); }'
    assert (await run("c", code, others=(header, half))).stdout == "4"


async def test_an_unknown_language_is_named_with_those_there_are(run: Runner) -> None:
    with pytest.raises(LanguageUnknown, match="klingon") as refusal:
        await run("klingon", "", name="main.kl")
    assert "python" in refusal.value.action


async def test_available_languages_come_first_and_the_others_say_what_to_do(runs: Runs) -> None:
    languages = await runs.languages()
    assert [one.available for one in languages] == sorted((one.available for one in languages), reverse=True)
    for language in languages:
        assert (language.version is not None) == language.available
        assert language.available or "Install" in (language.reason or "")
    assert [row.language for row in await runs.table()] == [one.id for one in languages]
