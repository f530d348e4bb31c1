"""Whoever can put a token into a repository or a domain owns it; nobody else does."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencode.infra.fetching import AnswerTooLarge, Fetcher, FetchRefused, Reach
from opencode.kernel.ids import ProjectId, UserId
from opencode.modules.marketplace.adapters.dns import DnsUnavailable, DomainInvalid, TxtResolver, domain_of, servers_of
from opencode.modules.marketplace.adapters.proofs import Proofs, RepositoryUnknown, token_of
from tests.web_server import WebServer, answer_of, redirect_to, serving

from .name_server import NameServer, naming, text_record

KEY = b"k" * 32
TOKEN = token_of(KEY, ProjectId("prj_1"), UserId("usr_1"))


async def _loopback(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


def _proofs(web: WebServer | None = None, names: NameServer | None = None) -> Proofs:
    return Proofs(
        Fetcher(Reach(private_too=True, resolve=_loopback), timeout_s=5),
        TxtResolver([names.address] if names else [], timeout_s=0.3),
        site=f"http://{{domain}}:{web.port}" if web else "https://{domain}",
    )


def test_a_token_is_the_same_each_time_and_another_for_everybody_else() -> None:
    others = [
        token_of(KEY, ProjectId("prj_2"), UserId("usr_1")),
        token_of(KEY, ProjectId("prj_1"), UserId("usr_2")),
        token_of(b"l" * 32, ProjectId("prj_1"), UserId("usr_1")),
        token_of(KEY, ProjectId("prj_1u"), UserId("sr_1")),
    ]
    assert token_of(KEY, ProjectId("prj_1"), UserId("usr_1")) == TOKEN
    assert len({TOKEN, *others}) == 5
    assert len(TOKEN) == len("ocv_") + 32


@pytest.mark.parametrize(
    ("content", "proves"),
    [
        *((TOKEN, True), (f"{TOKEN}\n", True), (f"other\r\n  {TOKEN}  \r\n", True), (f"\ufeff{TOKEN}", True)),
        *(("", False), (TOKEN[:-1], False), (f"{TOKEN}x", False), (TOKEN.upper(), False), (f"<p>{TOKEN}</p>", False)),
        *((f"/{TOKEN}", False), ("é\udcff".encode(errors="replace").decode(), False)),
    ],
)
async def test_a_site_is_proved_by_the_token_on_a_line_of_its_own(content: str, proves: bool) -> None:
    async with serving({"/.well-known/opencode.txt": answer_of(content.encode())}) as web:
        assert await _proofs(web).site_has("site.example.org", TOKEN) is proves
        assert "Host: site.example.org:" in web.got[0]


async def test_a_site_without_the_file_is_not_proved_and_one_in_trouble_is_asked_again_later() -> None:
    async with serving() as web:
        assert not await _proofs(web).site_has("site.example.org", TOKEN)
        web.says["/.well-known/opencode.txt"] = answer_of(TOKEN.encode(), status="500 Oops")
        with pytest.raises(FetchRefused):
            await _proofs(web).site_has("site.example.org", TOKEN)
        web.says["/.well-known/opencode.txt"] = answer_of(TOKEN.encode() + b"\n" * 20_000)
        with pytest.raises(AnswerTooLarge):
            await _proofs(web).site_has("site.example.org", TOKEN)


async def test_a_token_on_another_host_that_the_site_redirects_to_proves_nothing() -> None:
    async with serving({"/a": answer_of(TOKEN.encode())}) as web:
        path = "/.well-known/opencode.txt"
        web.says[path] = redirect_to(f"http://evil.example.org:{web.port}/a")
        assert not await _proofs(web).site_has("site.example.org", TOKEN)
        web.says[path] = redirect_to("/a")
        assert await _proofs(web).site_has("site.example.org", TOKEN)


@pytest.mark.parametrize("name", ["opencode.txt", ".well-known/opencode.txt"])
async def test_a_repository_is_proved_by_a_file_of_its_default_branch(name: str) -> None:
    async with serving({f"/owner/name/HEAD/{name}": answer_of(TOKEN.encode())}) as web:
        urls = [f"{web.url}/owner/name/HEAD/{each}" for each in ("opencode.txt", ".well-known/opencode.txt")]
        assert await _proofs(web).file_has(urls, TOKEN)
        assert not await _proofs(web).file_has(urls, "ocv_other")


@pytest.mark.parametrize(
    ("url", "files"),
    [
        ("git@github.com:owner/name.git", "https://raw.githubusercontent.com/owner/name/HEAD/"),
        ("https://gitlab.com/a/b/c", "https://gitlab.com/a/b/c/-/raw/HEAD/"),
        ("https://codeberg.org/owner/name", "https://codeberg.org/api/v1/repos/owner/name/raw/"),
    ],
)
async def test_a_repository_is_asked_where_its_server_has_raw_files(url: str, files: str) -> None:
    asked: list[str] = []

    class Asking(Proofs):
        __slots__ = ()

        async def file_has(self, urls: list[str], token: str) -> bool:
            asked.extend(urls)
            return True

    assert await Asking(Fetcher(), TxtResolver()).repository_has(url, TOKEN)
    assert asked == [f"{files}opencode.txt", f"{files}.well-known/opencode.txt"]


async def test_what_is_no_repository_is_refused_and_says_what_would_do() -> None:
    with pytest.raises(RepositoryUnknown) as refusal:
        await _proofs().repository_has("https://example.org/owner/name", TOKEN)
    assert refusal.value.action


@pytest.mark.parametrize(
    ("texts", "proves"),
    [
        ([text_record(f"opencode-verify={TOKEN}".encode())], True),
        ([text_record(b"v=spf1 -all"), text_record(b"opencode-verify=", TOKEN.encode())], True),
        ([text_record(b"opencode-verify=ocv_other"), text_record(f"opencode-verify={TOKEN}".encode())], True),
        *(([text_record(TOKEN.encode())], False), ([text_record(f"opencode-verify={TOKEN}x".encode())], False)),
        *(
            ([], False),
            ([text_record(b"")], False),
            ([b""], False),
            ([b"\xff"], False),
            ([text_record(b"\xff\0")], False),
        ),
    ],
)
async def test_a_domain_is_proved_by_a_record_with_the_token(texts: list[bytes], proves: bool) -> None:
    async with naming() as names:
        names.texts["example.org"] = texts
        assert await _proofs(names=names).domain_has("Example.ORG.", TOKEN) is proves
        assert names.asked == ["example.org"]


async def test_an_alias_leads_to_the_record() -> None:
    async with naming() as names:
        names.aliases["a.example.org"] = "b.example.net"
        names.texts["b.example.net"] = [text_record(f"opencode-verify={TOKEN}".encode())]
        assert await _proofs(names=names).domain_has("a.example.org", TOKEN)


async def test_a_domain_with_many_records_is_asked_again_over_tcp() -> None:
    async with naming() as names:
        names.cuts = True
        names.texts["example.org"] = [
            *(text_record(b"a" * 255) for _ in range(50)),
            text_record(f"opencode-verify={TOKEN}".encode()),
        ]
        assert await _proofs(names=names).domain_has("example.org", TOKEN)
        assert names.asked == ["example.org"] * 2


async def test_answers_to_other_questions_are_not_listened_to() -> None:
    """What somebody who cannot see the question could send: a wrong id, a wrong name, a question, half of it."""
    async with naming() as names:
        names.texts["example.org"] = [text_record(f"opencode-verify={TOKEN}".encode())]

        def forged(answer: bytes) -> list[bytes]:
            other_id = bytes([answer[0] ^ 1]) + answer[1:]
            other_name = answer.replace(b"\x07example\x03org", b"\x07exbmple\x03org")
            no_answer = answer[:2] + b"\x01" + answer[3:]
            return [other_id, other_name, no_answer, answer[:20], b"", b"\0" * 12]

        names.lie = forged
        with pytest.raises(DnsUnavailable):
            await _proofs(names=names).domain_has("example.org", TOKEN)
        names.lie = lambda answer: [*forged(answer), answer.replace(b"\x07example", b"\x07eXAMple", 1)]
        assert await _proofs(names=names).domain_has("example.org", TOKEN)


async def test_a_name_server_in_trouble_is_a_clear_error_and_the_next_is_asked() -> None:
    async with naming() as broken, naming() as silent, naming() as good:
        broken.code = 2
        silent.lie = lambda answer: []
        good.texts["example.org"] = [text_record(b"hello")]
        resolver = TxtResolver([broken.address, silent.address], timeout_s=0.1)
        with pytest.raises(DnsUnavailable) as failure:
            await resolver.texts("example.org")
        assert failure.value.action
        both = TxtResolver([broken.address, silent.address, good.address], timeout_s=0.2)
        assert await both.texts("example.org") == ["hello"]


async def test_nobody_at_the_name_servers_address_is_a_clear_error() -> None:
    async with naming() as names:
        address = names.address
    with pytest.raises(DnsUnavailable):
        await TxtResolver([address], timeout_s=0.2).texts("example.org")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=80), st.integers(0, 3))
def test_no_answer_makes_anything_else_than_texts_or_a_clear_error(tail: bytes, count: int) -> None:
    async def ask() -> None:
        async with naming() as names:
            names.lie = lambda answer: [answer[:2] + b"\x81\x80\0\1\0" + bytes([count]) + answer[8:29] + tail]
            try:
                texts = await TxtResolver([names.address], timeout_s=0.05).texts("example.org")
            except DnsUnavailable:
                return
            assert len(texts) <= count

    asyncio.run(ask())


@pytest.mark.parametrize(
    "domain",
    [
        *("", "localhost", "127.0.0.1", "example..org", "-", "a b.org", "example.org/a", "example.org:80", "a@b.org"),
        *("a" * 64 + ".org", "a." * 127 + "org", "example.org?a", "example.org#a", "[::1]", "{domain}.org", "\0.org"),
    ],
)
async def test_what_is_no_domain_is_refused_and_nobody_is_asked(domain: str) -> None:
    with pytest.raises(DomainInvalid):
        await _proofs().domain_has(domain, TOKEN)
    with pytest.raises(DomainInvalid):
        await _proofs().site_has(domain, TOKEN)


def test_the_name_servers_are_those_of_the_system(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    assert servers_of(file) == [("127.0.0.1", 53)]
    file.write_text("# nameserver 192.0.2.9\nsearch a\nnameserver\n nameserver 192.0.2.1\nnameserver fe80::1%eth0\n")
    assert servers_of(file) == [("192.0.2.1", 53), ("fe80::1%eth0", 53)]


def test_a_domain_in_any_language_is_one() -> None:
    assert domain_of("Bücher.example.") == "xn--bcher-kva.example"
    assert domain_of("_opencode.example.org") == "_opencode.example.org"
