"""The rules alone: slugs, licences, prices, links, and what counts as one."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opencode.kernel.ids import ProjectId
from opencode.modules.marketplace.domain.counting import Kind, Visitor, fact_of
from opencode.modules.marketplace.domain.licences import EXCEPTIONS, LICENCES, NotAnExpressionError, normalised
from opencode.modules.marketplace.domain.money import CURRENCIES, MOST_MINOR_UNITS, price_of, price_problem
from opencode.modules.marketplace.domain.project import ProjectStatus, checked, may_become
from opencode.modules.marketplace.domain.slugs import (
    MAX_HANDLE,
    MAX_NAME,
    handle_of,
    handle_problem,
    name_of,
    name_problem,
    numbered,
    parts_of,
)
from opencode.modules.marketplace.domain.text import each_once, text_problem, tidy_line, url_problem

# Slugs


@given(st.text(max_size=300))
@example("Ünï Çødé")
@example("-" * 300)
def test_every_title_gives_a_good_name_and_every_person_a_good_handle(text: str) -> None:
    assert name_problem(name_of(text)) is None
    assert handle_problem(handle_of(text)) is None
    assert parts_of(f"{handle_of(text)}.{name_of(text)}") == (handle_of(text), name_of(text))


@given(st.text(max_size=200))
def test_a_name_made_of_a_name_is_that_name(text: str) -> None:
    assert name_of(name_of(text)) == name_of(text)


@given(st.text(max_size=300), st.integers(2, 10**9))
def test_a_numbered_name_is_good_and_says_its_number(text: str, number: int) -> None:
    for longest in (MAX_NAME, MAX_HANDLE):
        name = numbered(name_of(text)[:longest].rstrip("-"), number, longest)
        assert name_problem(name) is None
        assert len(name) <= longest
        assert name.endswith(f"-{number}")


@given(st.text(max_size=120))
def test_what_parts_has_exactly_one_dot_and_nothing_strange(slug: str) -> None:
    if parts := parts_of(slug):
        assert ".".join(parts) == slug
        assert re.fullmatch(r"[a-z0-9-]+\.[a-z0-9-]+", slug)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Analytical Engine", "analytical-engine"),
        ("C++ für Ärzte", "cpp-fur-arzte"),
        ("F# & C#", "fsharp-csharp"),
        ("  --A  ", "a"),
        ("Straße", "strasse"),
        ("日本語", "project"),
        ("a.b/c\\d", "a-b-c-d"),
        ("x" * 100, "x" * 80),
    ],
)
def test_accents_and_signs_become_what_people_would_type(title: str, name: str) -> None:
    assert name_of(title) == name


# Licences

_atoms = st.one_of(
    st.sampled_from(sorted(LICENCES.values())),
    st.sampled_from(sorted(LICENCES.values())).map(lambda name: f"{name}+"),
    st.from_regex(r"LicenseRef-[A-Za-z0-9.-]{1,10}", fullmatch=True),
    st.tuples(st.sampled_from(sorted(LICENCES.values())), st.sampled_from(sorted(EXCEPTIONS.values()))).map(
        " WITH ".join
    ),
)
_expressions = st.recursive(
    _atoms,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" AND ", " OR "]), inner).map("".join), inner.map(lambda part: f"({part})")
    ),
    max_leaves=4,
).filter(lambda text: len(text) <= 150)


@given(_expressions)
def test_every_expression_is_kept_as_it_is_however_it_is_spaced_and_spelt(expression: str) -> None:
    assert normalised(expression) == expression
    sloppy = re.sub(r"([()])", r" \1 ", expression).replace(" ", "   ")
    assert normalised(sloppy[:200]) == expression if len(sloppy) <= 200 else True
    if "LicenseRef-" not in expression:
        assert normalised(expression.lower()) == normalised(expression.upper()) == expression


@given(st.text(max_size=250))
def test_any_text_is_an_expression_or_is_refused_with_words(text: str) -> None:
    try:
        read = normalised(text)
    except NotAnExpressionError as error:
        assert str(error)
    else:
        assert normalised(read) == read


@pytest.mark.parametrize(
    "bad",
    [
        "MTI",
        "MIT OR",
        "AND MIT",
        "MIT Apache-2.0",
        "(MIT",
        "MIT)",
        "()",
        "MIT WITH",
        "MIT WITH MIT",
        "MIT, ISC",
        "LicenseRef-",
        "MIT++",
        "MIT/ISC",
        "WITH",
        "(" * 11 + "MIT" + ")" * 11,
        "MIT OR " * 40 + "MIT",
        "(MIT OR ISC) WITH LLVM-exception",
    ],
)
def test_what_is_no_expression_is_refused(bad: str) -> None:
    with pytest.raises(NotAnExpressionError):
        normalised(bad)


def test_the_nearest_licences_are_told() -> None:
    with pytest.raises(NotAnExpressionError, match=r"GPL-3\.0.*LicenseRef"):
        normalised("GPLv3.0")


# Prices


@given(st.integers(), st.one_of(st.none(), st.text(max_size=4), st.sampled_from(sorted(CURRENCIES))))
def test_a_price_is_good_if_and_only_if_it_is_free_or_has_a_currency(amount: int, currency: str | None) -> None:
    good = 0 <= amount <= MOST_MINOR_UNITS and (currency in CURRENCIES or (currency is None and amount == 0))
    assert (price_problem(amount, currency) is None) is good
    if good:
        price = price_of(amount, currency)
        assert price.is_free is (amount == 0)
        assert (price.currency is None) is price.is_free


# Links and texts


@pytest.mark.parametrize(
    "url",
    ["https://example.org", "http://example.org:8080/a?b=c#d", "https://[2001:db8::1]/x", "https://bücher.example/ü"],
)
def test_addresses_of_the_web_are_links(url: str) -> None:
    assert url_problem(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "//example.org",
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "ftp://example.org",
        "https://",
        "https://user@example.org",
        "https://user:pw@example.org",
        "https://:pw@example.org",
        "https://example.org:99999",
        "https://[::1",
        "https://example.org/a b",
        'https://example.org/"onload=',
        "https://example.org/\x00",
        "https://example.org/\u202e",
        "https://example.org/<script>",
        "https://example.org/" + "x" * 2000,
    ],
)
def test_nothing_else_is_a_link(url: str) -> None:
    assert url_problem(url) is not None


@given(st.text(max_size=100))
def test_tidying_twice_is_tidying_once(text: str) -> None:
    assert tidy_line(tidy_line(text)) == tidy_line(text)
    assert each_once(each_once([text, text.upper(), text])) == each_once([text, text.upper(), text])


@given(st.text(max_size=50))
def test_a_good_text_has_no_control_characters(text: str) -> None:
    good = not any(ord(letter) < 32 and letter not in "\t\n\r" for letter in text)
    assert (text_problem(text, 1000) is None) is good


def test_a_title_that_cannot_be_seen_or_turns_the_text_around_is_refused() -> None:
    for title in ("", "   ", "\u200d", "a\u202eb", "a\nb", "a\x00", "x" * 121):
        assert [problem.pointer for problem in checked({"title": title})[1]] == ["/title"], title
    assert checked({"title": "👩‍💻 Ada"})[1] == []


def test_what_was_public_never_becomes_a_secret_again() -> None:
    draft, published, archived, quarantined, removed = ProjectStatus
    assert [after for after in ProjectStatus if may_become(draft, after)] == [draft, published, archived]
    for before in (published, archived):
        assert [after for after in ProjectStatus if may_become(before, after)] == [published, archived]
    for held in (quarantined, removed):
        assert [after for after in ProjectStatus if may_become(held, after)] == [held]


# Counting

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
PROJECT = ProjectId("prj_1")


def fact_id(visitor: str = "ada", at: datetime = NOON, key: str | None = None, kind: Kind = Kind.VIEW) -> str:
    return fact_of(kind, PROJECT, Visitor(visitor), at, salt="salt", key=key).id


def test_a_visitor_is_one_within_an_hour_and_a_key_for_ever() -> None:
    assert fact_id() == fact_id(at=NOON + timedelta(minutes=59))
    assert len({fact_id(), fact_id("grace"), fact_id(at=NOON + timedelta(hours=1)), fact_id(kind=Kind.DOWNLOAD)}) == 4
    assert fact_id(key="a") == fact_id("grace", NOON + timedelta(days=3), key="a") != fact_id(key="b")


def test_a_visitor_has_another_hash_each_hour_and_on_each_server() -> None:
    hashes = {
        fact_of(Kind.VIEW, PROJECT, Visitor("ada"), NOON + timedelta(hours=hour), salt=salt).visitor
        for hour in range(3)
        for salt in ("one", "other")
    }
    assert len(hashes) == 6


@pytest.mark.parametrize(
    ("agent", "robot"),
    [
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.example.org/bot.html)", True),
        ("ExampleCrawler/1.0", True),
        ("facebookexternalhit/1.1", True),
        ("Mozilla/5.0 HeadlessChrome/120", True),
        ("Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", False),
        ("curl/8.5.0", False),
        ("git/2.43", False),
        ("Mozilla/5.0 (Linux; Android 16; CUBOT X90) Chrome/150", True),  # a telephone: the price of a short rule
        ("Bottles/51", False),
        ("", False),
    ],
)
def test_robots_are_those_that_say_so(agent: str, robot: bool) -> None:
    assert Visitor("x", agent).is_robot is robot
