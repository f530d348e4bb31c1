"""Nothing that a stranger writes into a README runs, draws over the page or speaks in its name."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencode.modules.marketplace.adapters.readme import render, summary_of
from opencode.modules.marketplace.adapters.readme.allowed import sanitised
from opencode.modules.marketplace.adapters.readme.links import Links
from opencode.modules.marketplace.adapters.readme.parsing import html_of
from opencode.modules.marketplace.domain.repositories import Forge, Repository

from .harmless import wrong_with
from .payloads import PAYLOADS

REPOSITORY = Repository(Forge.GITHUB, "github.com", "owner/name", "main")
SHOWN = ("raw.githubusercontent.com", "evil.example", "a.b")


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_a_payload_comes_out_harmless(payload: str) -> None:
    for markdown in (payload, f"text {payload} text", f"- > {payload}", f"<div>{payload}", f"# a\n\n{payload}\n\nb"):
        for repository in (None, REPOSITORY):
            for hosts in ((), SHOWN):
                assert wrong_with(render(markdown, repository, image_hosts=hosts), hosts) == [], markdown


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_what_came_out_stays_as_it_is_when_a_browser_reads_and_writes_it_again(payload: str) -> None:
    """Mutation XSS lives on HTML that changes when it is read again."""
    first = re.sub(r"readme-", "", render(payload, REPOSITORY, image_hosts=SHOWN))
    again = render(f"<div>{first.strip()}</div>", REPOSITORY, image_hosts=SHOWN)
    assert wrong_with(again, SHOWN) == []


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_the_allow_list_alone_holds_too(payload: str) -> None:
    """What puts tags in order beforehand is there for time, and for what pictures and boxes have in any case."""
    html = sanitised(html_of(payload.encode(errors="replace").decode()), Links(REPOSITORY))
    beforehand = {"a picture that is not lazy", "an input that takes input", "<h1>"}
    assert set(wrong_with(html)) <= beforehand


def test_there_are_as_many_payloads_as_were_promised() -> None:
    assert len(set(PAYLOADS)) == len(PAYLOADS) >= 120


def test_the_checker_itself_sees_harm() -> None:
    for harm in (
        "<script>",
        "<p style=a>",
        "<a href=javascript:a rel='nofollow ugc noopener'>",
        "<!-- a -->",
        "<p id=a>",
        "<h1>",
        "<img src=https://a.b/c loading=lazy referrerpolicy=no-referrer>",
    ):
        assert wrong_with(harm) != []


_FRAGMENTS = (
    "< > \" ' ` = / \\ & # ; : ! [ ] ( ) * _ ~ | - \n \t \0 <!-- --> <![CDATA[ ]]> <a </a> <img <svg> <math> <style> "
    "</style> <p> </p> <table> <td> <select> <template> <b> <div <pre> <code> href= src= srcset= onerror=alert(1) id= "
    'class= title=" javascript: data: https://a.b/ //c &colon; &#x3a; &Tab; &lt; <script> </script> [!NOTE] ``` [x] '
    "www. a@b.c <details> <summary> <input <h1 <mglyph> <mtext> <noscript> <title> <form>"
)
_PIECES = st.sampled_from([*_FRAGMENTS.split(" "), " "]) | st.text(max_size=4)


@settings(max_examples=400, deadline=None)
@given(st.lists(_PIECES, max_size=40).map("".join), st.booleans())
def test_no_mixture_of_pieces_comes_out_harmful(markdown: str, has_repository: bool) -> None:
    repository = REPOSITORY if has_repository else None
    assert wrong_with(render(markdown, repository)) == []
    assert wrong_with(render(markdown, repository, image_hosts=SHOWN), SHOWN) == []


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PAYLOADS), min_size=2, max_size=4).map("\n".join))
def test_no_mixture_of_payloads_comes_out_harmful(markdown: str) -> None:
    assert wrong_with(render(markdown, REPOSITORY)) == []


@settings(max_examples=200, deadline=None)
@given(st.lists(_PIECES, max_size=40).map("".join))
def test_a_summary_is_short_and_on_one_line(markdown: str) -> None:
    summary = summary_of(markdown)
    assert len(summary) <= 200
    assert summary.isprintable()
