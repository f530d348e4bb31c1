"""The docs tell what is there: every setting, call, event, error and close code; and nothing that is not."""

import json
import re
import sys
from pathlib import Path

import pytest

from opencode import __version__
from opencode.modules.execution.domain.programs import Packages, ProbePrograms, Runtime
from opencode.modules.interviews.domain.records import EventType
from tools import ai_page, errors_page, languages_page, settings_page

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "benchmarks" / "README.md"])
FIRST_PICTURE = "docs/images/room.png"


def _read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_setting_is_on_its_page_as_it_is_in_the_code() -> None:
    assert _read("docs/settings.md") == settings_page.render(), "run make docs"


def test_every_error_is_on_its_page_as_it_is_in_the_code() -> None:
    assert _read("docs/errors.md") == errors_page.render(), "run make docs"


def test_what_an_ai_configuration_may_say_is_on_its_page_and_in_its_schema() -> None:
    assert _read("docs/ai-configuration.md") == ai_page.render(), "run make docs"
    assert _read("docs/schemas/ai.v1.json") == ai_page.render_schema(), "run make docs"


def test_every_language_is_on_its_page_as_it_is_in_its_file() -> None:
    assert _read("docs/languages.md") == languages_page.render(), "run make docs"


def test_every_key_of_a_runtime_file_is_on_the_page_of_languages() -> None:
    page = _read("docs/languages.md")
    keys = {*Runtime.__struct_fields__, *Packages.__struct_fields__, *ProbePrograms.__struct_fields__}
    rare = {"main_class", "main_package", "tier", "toolchain"}  # for Java and its kin, or told in prose
    assert [key for key in sorted(keys - rare) if not re.search(rf"\b{key}\b", page)] == []


def test_every_error_says_when_it_comes_and_has_a_type_of_its_own() -> None:
    slugs = [errors_page.slug_of(each) for each in errors_page.error_classes()]
    assert len(slugs) == len(set(slugs))
    assert all(each.__doc__ and each.__doc__.strip() for each in errors_page.error_classes())


def test_a_list_of_errors_at_the_top_of_a_file_is_whole_and_a_folder_of_errors_offers_all_of_them() -> None:
    files: dict[str, set[str]] = {}
    for each in errors_page.error_classes():
        if re.match(r"opencode\.modules\.\w+\.errors\b", each.__module__):
            files.setdefault(each.__module__, set()).add(each.__name__)
    missing: dict[str, set[str]] = {}
    for name, classes in files.items():
        listed = set(re.findall(r"\w+", sys.modules[name].__doc__ or "")) & classes
        # A file of a few errors needs no list; one that was split has one in each part.
        if (listed or not name.endswith(".errors")) and listed != classes:
            missing[name] = classes - listed
    assert missing == {}
    for folder in {name.rpartition(".")[0] for name in files if not name.endswith(".errors")}:
        within = {each for name, classes in files.items() if name.startswith(f"{folder}.") for each in classes}
        assert set(sys.modules[folder].__all__) == within


def test_every_call_is_in_the_api_page() -> None:
    page = re.sub(r"\{[a-z_]+\}", "{}", _read("docs/api.md"))
    missing = []
    for path, item in json.loads(_read("openapi.json"))["paths"].items():
        plain = re.sub(r"\{[a-z_]+\}", "{}", path)
        parent, _, last = plain.rpartition("/")
        # `POST /a/{id}/start` · `/end` lists the second call by what differs.
        if plain not in page and not (parent in page and f"`/{last}`" in page):
            missing.append(f"{', '.join(item).upper()} {path}")
    assert missing == []


def test_what_an_answer_has_is_told_once_in_the_api_page_and_whole() -> None:
    schemas = json.loads(_read("openapi.json"))["components"]["schemas"]
    told = re.findall(r"^([a-z][a-z ]*): `\{(.*?)\}`", _read("docs/api.md"), re.MULTILINE)
    assert len({name for name, _ in told}) == len(told)
    elsewhere = {"export", "interview", "participant", "run", "signal", "session", "result"}  # of several shapes
    wrong = {}
    for name, fields in told:
        view = "".join(word.capitalize() for word in name.split()) + "View"
        having = [set(schema.get("properties", ())) for key, schema in schemas.items() if key.split("_")[-1] == view]
        if name not in elsewhere and _names_of(fields) not in having:
            wrong[name] = [sorted(_names_of(fields) ^ each) for each in having]
    assert wrong == {}


def _names_of(fields: str) -> set[str]:
    """`a, b: {c}, d: "x"|"y"` has a, b and d."""
    while (plain := re.sub(r': (\{[^{}]*\}|\[[^\[\]]*\]|("[^"]*"\|?)+)', "", fields)) != fields:
        fields = plain
    return {each.strip() for each in fields.split(",")}


def test_every_event_of_the_stream_is_in_the_api_page() -> None:
    table = _read("docs/api.md").partition("## The event stream")[2].partition("\n## ")[0]
    for event in EventType:
        first, _, last = event.value.partition(".")
        assert f"`{event.value}`" in table or (f"`{first}." in table and f"`.{last}`" in table), event.value


def test_every_close_code_that_the_server_sends_is_in_the_protocol_page() -> None:
    sources = [
        *ROOT.glob("src/opencode/modules/collaboration/**/*.py"),
        *ROOT.glob("src/opencode/modules/interviews/**/*.py"),
        *ROOT.glob("src/opencode/infra/websocket/*.py"),
    ]
    sent: set[str] = set()
    for source in sources:
        sent |= set(re.findall(r"(?:close\(|^\w+ = \(|: \()(1\d{3}|44\d{2}), f?\"", source.read_text(), re.MULTILINE))
    assert {"1012", "1013", "4401", "4404", "4410"} <= sent
    table = _read("docs/protocol.md").partition("## Closing")[2]
    assert sorted(code for code in sent if code not in table) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target and not (page.parent / target).resolve().exists():
            assert str((page.parent / target).resolve().relative_to(ROOT)) == FIRST_PICTURE, target


def test_every_test_that_the_docs_name_exists() -> None:
    there = set[str]()
    for file in ROOT.glob("tests/**/*.py"):
        there |= set(re.findall(r"def (test_\w+)", file.read_text(encoding="utf-8")))
    for page in PAGES:
        named = set(re.findall(r"`(test_[a-z0-9_]+)`", page.read_text(encoding="utf-8")))
        assert named - there == set(), page


def test_every_file_that_the_docs_name_exists() -> None:
    house = ROOT / "src" / "opencode"
    bases = [ROOT, house, house / "modules", *(house / "modules").iterdir()]
    named = re.compile(r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|ts|svelte|md|toml|conf|service|yaml))`")
    for page in PAGES:
        for name in named.findall(page.read_text(encoding="utf-8")):
            assert any((base / name).exists() for base in bases), f"{name} in {page.name}"


def test_every_make_target_that_the_docs_name_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", _read("Makefile"), re.MULTILINE))
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        code = [*re.findall(r"`([^`\n]+)`", text), *re.findall(r"```sh\n(.*?)```", text, re.DOTALL)]
        named = {word for each in code for word in re.findall(r"^make ([a-z]+)\b", each, re.MULTILINE)}
        assert named - targets == set(), page


def test_every_command_that_the_docs_name_exists() -> None:
    from click import Context

    from opencode.app.cli import app

    commands = set(app.list_commands(Context(app)))
    for page in PAGES:
        named = set(re.findall(r"\bocp ([a-z]+)\b", page.read_text(encoding="utf-8")))
        assert named - commands == set(), page


def test_the_readme_names_every_command() -> None:
    from click import Context

    from opencode.app.cli import app

    for command in app.list_commands(Context(app)):
        assert f"`ocp {command}`" in _read("README.md")


def test_the_changelog_tells_of_this_version() -> None:
    assert re.search(rf"^## {re.escape(__version__)}\b", _read("CHANGELOG.md"), re.MULTILINE)


def test_decisions_are_numbered_and_each_has_its_parts() -> None:
    pages = sorted(ROOT.glob("docs/adr/*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert text.startswith(f"# {int(page.name[:4])}. ")
        for part in ("## Context", "## Decision", "## What it costs", "## Turned down"):
            assert part in text, f"{part} in {page.name}"
