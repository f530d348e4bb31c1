"""A README looks here as it does where it comes from."""

import os
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.modules.marketplace.adapters.readme import ReadmeTooLarge, render, summary_of
from opencode.modules.marketplace.domain.repositories import Repository, repository_of

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REL = ' rel="nofollow ugc noopener"'
RAW = "https://raw.githubusercontent.com/owner/name/main"
LAZY = 'loading="lazy" referrerpolicy="no-referrer"'


def _repository(url: str, ref: str = "main") -> Repository:
    repository = repository_of(url)
    assert repository is not None
    return repository.at(ref)


GITHUB = _repository("https://github.com/owner/name")


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("a **b** *c* ~~d~~ `e`", "<p>a <strong>b</strong> <em>c</em> <s>d</s> <code>e</code></p>"),
        ("| a |\n|--:|\n| 1 |", '<th align="right">a</th>'),
        ("- [ ] a", '<li class="task"><input type="checkbox" disabled=""> a</li>'),
        ("- [X] a", '<li class="task"><input type="checkbox" disabled="" checked=""> a</li>'),
        ("see https://a.example/b_(c).", f'see <a href="https://a.example/b_(c)"{REL}>https://a.example/b_(c)</a>.'),
        ("(www.a.example)", f'(<a href="http://www.a.example"{REL}>www.a.example</a>)'),
        ("<b>a</b>@b.example c.d@e.example", f'<a href="mailto:c.d@e.example"{REL}>c.d@e.example</a>'),
        ("`https://a.example`", "<p><code>https://a.example</code></p>"),
        (
            '<a href="https://a.example">https://b.example</a>',
            f'<a href="https://a.example"{REL}>https://b.example</a>',
        ),
        ("# What's *new*?", '<h2 id="readme-whats-new">What\'s <em>new</em>?</h2>'),
        ("# A\n# A", '<h2 id="readme-a-1">A</h2>'),
        ("# Übung 1", '<h2 id="readme-übung-1">Übung 1</h2>'),
        ("##### A\n###### B", '<h6 id="readme-a">A</h6>\n<h6 id="readme-b">B</h6>'),
        ('<h1 align="center">A</h1>\n<H2>B</H2>', '<h2 align="center">A</h2>\n<h3>B</h3>'),
        ("[up](#whats-new)", f'<a href="#readme-whats-new"{REL}>up</a>'),
        ('<a name="old"></a>', '<a name="readme-old"'),
        (
            "> [!WARNING]\n> Hot.",
            '<div class="alert alert-warning">\n<p class="alert-title">Warning</p><p>Hot.</p>\n</div>',
        ),
        ("> [!NOTE] Hot.", "<blockquote>\n<p>[!NOTE] Hot.</p>"),
        ("```py\nif 1: ...\n```", '<code class="language-py"><span class="hl-k">if</span>'),
        ("```unknown\n<a>\n```", "<pre><code>&lt;a&gt;\n</code></pre>"),
        ('<p align="center"><kbd>a</kbd></p>', '<p align="center"><kbd>a</kbd></p>'),
        (
            "<details><summary>a</summary>\n\n**b**\n\n</details>",
            "<details><summary>a</summary>\n<p><strong>b</strong></p>",
        ),
        ("a<!-- nobody sees this -->", "<p>a</p>"),
        ("a<br/>b<hr />", "a<br>b</p><hr>"),
        ("1 < 2 & <3", "<p>1 &lt; 2 &amp; &lt;3</p>"),
    ],
)
def test_markdown_reads_as_on_github(markdown: str, html: str) -> None:
    assert html in render(markdown)


@pytest.mark.parametrize(
    ("repository", "page", "raw"),
    [
        (GITHUB, "https://github.com/owner/name/blob/main/", "https://raw.githubusercontent.com/owner/name/main/"),
        (
            GITHUB.at(COMMIT),
            f"https://github.com/owner/name/blob/{COMMIT}/",
            f"https://raw.githubusercontent.com/owner/name/{COMMIT}/",
        ),
        (
            _repository("https://gitlab.com/group/below/name"),
            "https://gitlab.com/group/below/name/-/blob/main/",
            "https://gitlab.com/group/below/name/-/raw/main/",
        ),
        (
            _repository("https://codeberg.org/owner/name"),
            "https://codeberg.org/owner/name/src/branch/main/",
            "https://codeberg.org/owner/name/raw/branch/main/",
        ),
        (
            _repository("https://gitea.example.org/owner/name", COMMIT),
            f"https://gitea.example.org/owner/name/src/commit/{COMMIT}/",
            f"https://gitea.example.org/owner/name/raw/commit/{COMMIT}/",
        ),
        (
            _repository("https://codeberg.org/owner/name", "HEAD"),
            "https://codeberg.org/owner/name/src/",
            "https://codeberg.org/api/v1/repos/owner/name/raw/",
        ),
    ],
)
def test_what_is_relative_leads_into_the_repository(repository: Repository, page: str, raw: str) -> None:
    markdown = '[a](docs/a.md?b=1#c) [b](./b.md) [c](/c.md) ![d](d%20e.png) ![f](/img/../f.svg) <img src="g.png">'
    html = render(markdown, repository, folder="sub", image_hosts=[urlsplit(raw).netloc])
    for there in (f"{page}sub/docs/a.md?b=1#c", f"{page}sub/b.md", f"{page}c.md"):
        assert f'href="{there}"' in html
    for there in (f"{raw}sub/d%20e.png", f"{raw}f.svg", f"{raw}sub/g.png"):
        assert f'src="{there}"' in html


def test_pictures_for_dark_and_light_screens_are_found_too() -> None:
    html = render(
        '<picture><source media="(prefers-color-scheme: dark)" srcset="dark.png, dark2.png 2x" type="image/png">'
        '<img alt="logo" src="light.png" width="50%"></picture>',
        GITHUB,
        image_hosts=["Raw.GitHubUserContent.com"],
    )
    raw = "https://raw.githubusercontent.com/owner/name/main"
    assert f'media="(prefers-color-scheme: dark)" srcset="{raw}/dark.png, {raw}/dark2.png 2x" type="image/png"' in html
    assert f'<img {LAZY} alt="logo" src="{raw}/light.png" width="50%">' in html


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("[tracker](../../issues)", f'<a href="https://github.com/owner/name/issues"{REL}>tracker</a>'),
        ("[other](../../../else)", f"<a{REL}>other</a>"),
        ("![up](../../../a.png)", "<p>up</p>"),
        ("![b](https://github.com/o/n/blob/main/a.png)", 'src="https://github.com/o/n/raw/main/a.png"'),
        ("![b](//a.example/b.png)", 'src="https://a.example/b.png"'),
        ("[m](mailto:a@b.example?subject=c)", 'href="mailto:a@b.example?subject=c"'),
    ],
)
def test_links_out_of_the_folder_lead_where_they_would_there_and_never_to_other_projects(
    markdown: str, html: str
) -> None:
    assert html in render(markdown, GITHUB, image_hosts=["a.example", "github.com"])


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("![A *plot*](docs/plot.png)", f'<p><a class="image-link" href="{RAW}/docs/plot.png"{REL}>A plot</a></p>'),
        ("![](docs/plot%201.png)", f'href="{RAW}/docs/plot%201.png"{REL}>plot 1.png</a>'),
        ("![](https://other.example)", f'href="https://other.example"{REL}>picture</a>'),
        ("![a](http://shown.example/a.png)", f'href="http://shown.example/a.png"{REL}>a</a>'),
        ("![a](https://shown.example:8443/a.png)", 'class="image-link"'),
        ("![a](https://shown.example.evil.example/a.png)", 'class="image-link"'),
        ("![a](https://not-shown.example/a.png)", 'class="image-link"'),
        ('<img alt="&lt;b&gt; &amp; c" src="a.png?b=1&amp;c=2">', ">&lt;b&gt; &amp; c</a>"),
        ('<img alt="a" src="https://other.example/b.png" src="https://shown.example/c.png">', 'other.example/b.png"'),
        ("![a](data:image/png;base64,AAAA)", "<p>a</p>"),
        ("[![Build](badge.svg)](https://ci.example/)", f'<p><a href="https://ci.example/"{REL}>Build</a></p>'),
        ('<a href="https://b.example"><b><img src="c.svg"></b></a>', f"{REL}><b>c.svg</b></a>"),
        ("![a](https://SHOWN.example/a.png)", f'<img {LAZY} src="https://SHOWN.example/a.png" alt="a">'),
        (
            '<img alt="a" src="https://shown.example/a.png" srcset="https://other.example/b.png 2x, c.png 3x">',
            f'<img {LAZY} alt="a" src="https://shown.example/a.png">',
        ),
    ],
)
def test_a_picture_of_a_host_that_is_not_allowed_is_a_link_with_its_words(markdown: str, html: str) -> None:
    assert html in render(markdown, GITHUB, image_hosts=["shown.example"])


def test_without_a_repository_what_is_relative_leads_nowhere() -> None:
    assert render("[a](b.md) ![c](d.png)") == f"<p><a{REL}>a</a> c</p>\n"


def test_the_same_text_gives_the_same_html_in_every_process() -> None:
    program = (
        "from opencode.modules.marketplace.adapters.readme import render\n"
        "print(render('# A\\n![a](https://b.example/c) <td colspan=2 align=left id=d> - [ ] e\\n```py\\nif 1:0\\n```'))"
    )
    made = {
        subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(made) == 1


@pytest.mark.parametrize(
    ("markdown", "summary"),
    [
        ("# Name\n\nA quick tool. It does one thing.", "A quick tool. It does one thing."),
        (
            "[![b](c)](d) ![e](f)\n\n[Docs](a) | [Blog](b)\n\nServes *many* `files`, e.g. This one.",
            "Serves many files, e.g. This one.",
        ),
        (
            '<h1 align="center">Name</h1>\n<p align="center">\n  <em>A library for\n  people &amp; robots.</em>\n</p>',
            "A library for people & robots.",
        ),
        ("Fast\nand\tsmall\u202e web server.", "Fast and small web server."),
        ("A [library](x) that reads <b>bold</b> files.", "A library that reads bold files."),
        ("这是一个非常快速的网络服务器项目。它很小。", "这是一个非常快速的网络服务器项目。 它很小。"),
        ("word " * 100 + ".", ("word " * 100)[:194] + "…"),
        ("```\nsome code and more of it\n```\n\n> quoted words are of others\n", ""),
        ("", ""),
    ],
)
def test_a_summary_is_what_a_readme_says_first(markdown: str, summary: str) -> None:
    assert summary_of(markdown) == summary


def test_a_readme_that_is_too_large_is_refused_and_says_what_to_do() -> None:
    with pytest.raises(ReadmeTooLarge) as refusal:
        render("é" * 100_001)
    assert refusal.value.action
    render("é" * 100_000)


_ADDRESSES = [
    *("https://github.com/owner/name", "http://www.github.com/owner/name/", "github.com/owner/name.git"),
    *("git@github.com:owner/name.git", "ssh://git@github.com/owner/name", "ssh://git@github.com:22/owner/name.git"),
    *("git+https://github.com/owner/name.git#v1", "git://github.com/owner/name.git", "github:owner/name"),
    *("https://github.com/owner/name/tree/main/docs?a=b#c", "https://GitHub.com/owner/name/issues/1"),
]


@pytest.mark.parametrize("url", _ADDRESSES)
def test_a_repository_is_known_however_its_address_is_written(url: str) -> None:
    assert repository_of(url) == GITHUB.at("HEAD")


def test_groups_below_groups_are_part_of_the_path_on_gitlab() -> None:
    found = repository_of("https://gitlab.example.org/a/b/c.git")
    assert found is not None
    assert (found.path, found.owner, found.name) == ("a/b/c", "a", "c")
    assert repository_of("https://gitlab.com/a/b/c/-/tree/main/x") == _repository("https://gitlab.com/a/b/c", "HEAD")


@pytest.mark.parametrize(
    "url",
    [
        *("", "https://github.com/owner", "https://github.com/../..", "https://example.org/owner/name", "https://[::1"),
        *("https://github.com.evil.example/owner/name", "https://evil.example/github.com/owner/name", "git@github.com"),
        *("https://gitlab.com/owner/a b", "https://github.com:8443/owner/name", "file://github.com/owner/name"),
        *("https://github.com/own%65r/name", "javascript://github.com/owner/name", "https://gitlab/owner/name"),
    ],
)
def test_what_is_no_repository_of_a_known_kind_is_none(url: str) -> None:
    assert repository_of(url) is None


@given(st.text() | st.text(alphabet="git@hub.com:/owner-_").map("https://github.com/".__add__))
def test_any_text_is_a_repository_or_none(url: str) -> None:
    found = repository_of(url)
    assert found is None or found.url.startswith(f"https://{found.host}/")


@given(st.text(max_size=30))
def test_a_state_with_a_strange_name_is_the_default_branch(ref: str) -> None:
    assert ".." not in GITHUB.at(ref).ref
    assert GITHUB.at(ref).raw_of("a").startswith("https://raw.githubusercontent.com/owner/name/")
