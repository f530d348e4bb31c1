"""A server fetches for strangers what is public and small, and nothing else."""

import asyncio
import gzip
import shutil
import ssl
import subprocess
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import SplitResult

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from opencode.infra.fetching import (
    AddressRefused,
    AnswerNotUnderstood,
    AnswerTooLarge,
    AnswerTooSlow,
    Fetcher,
    FetchFailed,
    FetchRefused,
    HostUnreachable,
    Reach,
)
from tests.web_server import answer_of, redirect_to, serving

AT_HOME = Fetcher(Reach(private_too=True), timeout_s=5)

INSIDE = [
    # Plain, and as resolvers read numbers: decimal, octal, hexadecimal, with parts left out.
    *("127.0.0.1", "127.1", "127.0.1", "127.255.255.254", "2130706433", "017700000001", "0x7f000001", "0x7f.1"),
    *("0177.0.0.1", "0x7f.0x0.0x0.0x1", "0177.0x0.0.1", "00000177.0.0.1", "127.0.0.01", "4294967295", "0", "0x", "0.0"),
    *("10.0.0.1", "172.31.255.1", "192.168.0.1", "169.254.169.254", "2852039166", "0xa9fea9fe", "100.64.0.1"),
    *("192.0.0.192", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "0.0.0.0", "192.88.99.1"),
    # Ends of names.
    *("127.0.0.1.", "127.1.", "localhost", "localhost.", "LOCALHOST", "a.localhost", "a.localhost."),
    # IPv6, and IPv4 in it.
    *("[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[::127.0.0.1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"),
    *("[::ffff:0:127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::1]", "[2002:7f00:1::]"),
    *(
        "[2002:a9fe:a9fe::]",
        "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
        "[fe80::1]",
        "[fe80::1%25eth0]",
        "[fe80::1%eth0]",
    ),
    *("[fc00::1]", "[fd00:ec2::254]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]", "[3fff::1]", "[100::1]", "[5f00::1]"),
    *("[2606:4700::1111%251]", "[::ffff:169.254.169.254]"),
    # Digits, dots and letters that some software folds to plain ones; and escapes.
    *("①②⑦.⓪.⓪.①", "127。0。0。1", "127.0.0.1", "ⓛocalhost", "loc%61lhost", "127.0.0.%31", "127%2e0%2e0%2e1"),
]

TRICKS = [
    *("http://1.1.1.1@127.0.0.1/", "http://1.1.1.1:80@127.0.0.1/", "http://@127.0.0.1/", "http://:@1.1.1.1/"),
    *("http://user@example.org/", "http://user:word@example.org/", "http://127.0.0.1#@1.1.1.1/"),
    *("http://1.1.1.1\\@127.0.0.1/", "http://127.0.0.1\\.example.org/", "http:\\\\127.0.0.1/", "http:/\\127.0.0.1/"),
    *("http://127.0.0.1?@1.1.1.1/", "http://1.1.1.1 @127.0.0.1/", "http://1.1.1.1\t@127.0.0.1/", "http:///127.0.0.1/"),
    *("http:127.0.0.1/", "//127.0.0.1/", "127.0.0.1", "", " http://1.1.1.1/", "http://1.1.1.1/\r\nHost: a", "http://"),
    *("http://1.1.1.1/ HTTP/1.1\r\n\r\nGET /", "http://1.1.1.1\0.example.org/", "http://[::1", "http://::1/"),
    *("file:///etc/passwd", "gopher://1.1.1.1/", "ftp://1.1.1.1/", "dict://1.1.1.1:11211/", "ldap://1.1.1.1/"),
    *("javascript:alert(1)", "data:text/plain,a", "jar:http://1.1.1.1/", "unix:///run/docker.sock", "HTTP+UNIX://a/"),
    *("http://1.1.1.1:22/", "http://1.1.1.1:0/", "http://1.1.1.1:65536/", "http://1.1.1.1:-1/", "http://1.1.1.1:8080/"),
    *(
        "http://1.1.1.1:٨٠/",
        "http://.example.org/",
        "http://a..example.org/",
        "http://./",
        "http://1.1.1.1/" + "a" * 2_000,
    ),
]


async def nobody_asks(host: str, port: int) -> Sequence[str]:
    raise AssertionError(f"{host} was looked up")


@pytest.mark.parametrize("url", [*(f"http://{host}/" for host in INSIDE), *TRICKS], ids=ascii)
async def test_an_address_inside_is_not_called_however_it_is_written(url: str) -> None:
    fetcher = Fetcher(Reach(ports=frozenset({80, 443}), resolve=nobody_asks))
    with pytest.raises(AddressRefused) as refusal:
        await fetcher.get(url)
    assert refusal.value.action


@pytest.mark.parametrize(
    "addresses",
    [
        *(["127.0.0.1"], ["10.0.0.1"], ["::1"], ["fe80::1%2"], ["169.254.169.254"], ["::ffff:127.0.0.1"]),
        *(["1.1.1.1", "127.0.0.1"], ["127.0.0.1", "1.1.1.1"], ["2606:4700::1111", "fd00::1"], ["64:ff9b::a00:1"]),
    ],
    ids=" ".join,
)
async def test_a_name_that_leads_inside_is_not_called_even_if_it_leads_outside_too(addresses: list[str]) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    with pytest.raises(AddressRefused, match="private network"):
        await Fetcher(Reach(resolve=resolve)).get("https://a.example.org/")


async def test_a_name_is_asked_for_once_and_the_call_goes_to_the_answer() -> None:
    asked: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["192.0.2.1"]

    async with serving({"/a?b=1": answer_of(b"hello", headers={"X-One": "1"})}) as web:
        fetcher = Fetcher(Reach(private_too=True, resolve=resolve))
        got = await fetcher.get(f"http://rebind.example.org:{web.port}/a?b=1#part")
        assert (got.body, got.headers["x-one"], asked) == (b"hello", "1", ["rebind.example.org"])
        assert f"Host: rebind.example.org:{web.port}\r\n" in web.got[0]
        assert "Accept-Encoding: identity\r\n" in web.got[0]


async def test_the_next_address_is_tried_when_nobody_is_at_the_first() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["::1", "127.0.0.1"]

    async with serving({"/": answer_of(b"hello")}) as web:
        got = await Fetcher(Reach(private_too=True, resolve=resolve)).get(f"http://two.example.org:{web.port}/")
        assert got.body == b"hello"


@pytest.mark.parametrize("inside", ["http://127.0.0.1/", "http://2130706433/", "file:///etc/passwd", "http://a@b.org/"])
async def test_a_redirect_is_looked_at_like_the_first_address(inside: str) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    async with serving({"/": redirect_to(inside)}) as web:
        # The first hop is let through, as a public host would be; what it points at is not.
        class FirstIsPublic(Reach):
            __slots__ = ()

            def look_at(self, url: str) -> SplitResult:
                return Reach(private_too=f":{web.port}/" in url).look_at(url)

        with pytest.raises(AddressRefused):
            await Fetcher(FirstIsPublic(private_too=True, resolve=resolve)).get(f"http://a.example.org:{web.port}/")
        assert len(web.got) == 1


async def test_a_redirect_to_a_name_that_leads_inside_is_not_followed() -> None:
    asked: list[str] = []

    class Names:
        async def __call__(self, host: str, port: int) -> Sequence[str]:
            asked.append(host)
            if host == "inside.example.org":
                raise OSError("the test ends here: this one would have been looked at")
            return ["127.0.0.1"]

    async with serving({"/": redirect_to("http://inside.example.org/")}) as web:
        with pytest.raises(HostUnreachable):
            await Fetcher(Reach(private_too=True, resolve=Names())).get(f"http://a.example.org:{web.port}/")
    assert asked == ["a.example.org", "inside.example.org"]


async def test_three_redirects_are_followed_and_a_fourth_is_not() -> None:
    chain = {f"/{step}": redirect_to(f"/{step + 1}", "308 Permanent Redirect") for step in range(9)}
    async with serving({**chain, "/9": answer_of(b"end")}) as web:
        got = await AT_HOME.get(f"{web.url}/6")
        assert (got.body, got.url) == (b"end", f"{web.url}/9")
        with pytest.raises(AnswerNotUnderstood, match="more than 3"):
            await AT_HOME.get(f"{web.url}/5")


@pytest.mark.parametrize(
    "location", ["http://[", "//[#", "http://a b/", "http://é.example/", "http://[::1]:x/", "ftp:"]
)
async def test_a_redirect_to_what_is_no_address_is_a_clear_error(location: str) -> None:
    async with serving({"/": redirect_to(location)}) as web:
        with pytest.raises(AddressRefused):
            await AT_HOME.get(f"{web.url}/")


async def test_what_is_sent_along_does_not_go_to_where_a_redirect_leads() -> None:
    async with serving({"/": answer_of(b"end")}) as other, serving({"/": redirect_to(f"{other.url}/")}) as web:
        await AT_HOME.get(f"{web.url}/", headers={"Authorization": "Bearer t"})
        assert ("Bearer t" in web.got[0], "Bearer t" in other.got[0]) == (True, False)


@pytest.mark.parametrize(
    "answer",
    [
        answer_of(b"a" * 101),
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 101,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"33\r\n" + b"a" * 51 + b"\r\n33\r\n",
    ],
)
async def test_no_more_is_read_than_was_asked_for(answer: bytes) -> None:
    async with serving({"/": answer}) as web:
        with pytest.raises(AnswerTooLarge, match="100 bytes"):
            await AT_HOME.get(f"{web.url}/", most_bytes=100)


async def test_an_answer_without_end_is_cut_off() -> None:
    async with serving({"/": b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 10_000}) as web:
        web.is_endless = True
        with pytest.raises(AnswerTooLarge):
            await AT_HOME.get(f"{web.url}/", most_bytes=100_000)


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "zstd", "gzip, gzip"])
async def test_what_is_compressed_is_never_unpacked(encoding: str) -> None:
    bomb = gzip.compress(b"\0" * 1_000_000)
    async with serving({"/": answer_of(bomb, headers={"Content-Encoding": encoding})}) as web:
        with pytest.raises(AnswerNotUnderstood, match="compressed"):
            await AT_HOME.get(f"{web.url}/")


@pytest.mark.parametrize(
    "answer",
    [
        *(b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"),
        *(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", b"HTTP/1.1 200 OK\r\nA: " + b"a" * 9_000 + b"\r\n\r\n"),
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"H%d: a\r\n" % number for number in range(200)) + b"\r\n",
        b"HTTP/1.1 200 OK\r\n" + (b"A: " + b"a" * 8_000 + b"\r\n") * 10 + b"\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 9,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_what_is_no_answer_is_a_clear_error(answer: bytes) -> None:
    async with serving({"/": answer}) as web:
        with pytest.raises(AnswerNotUnderstood) as failure:
            await AT_HOME.get(f"{web.url}/")
        assert failure.value.action


@pytest.mark.parametrize("status", ["404 Not Found", "403 Forbidden", "429 Too Many Requests", "500 Oops", "304 No"])
async def test_a_refusal_says_which_and_what_to_do(status: str) -> None:
    async with serving({"/": answer_of(b"no", status=status)}) as web:
        with pytest.raises(FetchRefused) as refusal:
            await AT_HOME.get(f"{web.url}/")
        assert (refusal.value.status, bool(refusal.value.action)) == (int(status[:3]), True)


async def test_a_server_that_says_nothing_or_little_is_given_up_in_time() -> None:
    async with serving({"/": None, "/slow": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na"}) as web:
        with pytest.raises(AnswerTooSlow):
            await Fetcher(Reach(private_too=True), timeout_s=0.1).get(f"{web.url}/")


async def test_redirects_do_not_start_the_clock_anew() -> None:
    async with serving({"/": redirect_to("/b"), "/b": None}) as web:
        started = asyncio.get_running_loop().time()
        with pytest.raises(AnswerTooSlow):
            await Fetcher(Reach(private_too=True), timeout_s=0.3).get(f"{web.url}/")
        assert asyncio.get_running_loop().time() - started < 2


async def test_nobody_there_and_no_such_name_are_clear_errors() -> None:
    async with serving() as web:
        url = web.url
    with pytest.raises(HostUnreachable):
        await AT_HOME.get(url)

    async def resolve(host: str, port: int) -> Sequence[str]:
        raise OSError("no such name")

    with pytest.raises(HostUnreachable, match="no address"):
        await Fetcher(Reach(resolve=resolve)).get("https://nowhere.example.org/")
    with pytest.raises(HostUnreachable, match="no address"):
        await AT_HOME.get(f"https://{'a' * 70}.example.org/")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 and its key, which nobody vouches for."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("needs openssl to make a certificate")
    file = tmp_path / "both.pem"
    made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=a -days 2"
    place = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(file), "-out", str(tmp_path / "only.pem")]
    subprocess.run([program, *made.split(), *place], check=True, capture_output=True)
    file.write_text(file.read_text() + (tmp_path / "only.pem").read_text())
    return file


async def test_a_server_is_spoken_to_only_if_its_certificate_is_trusted(certificate: Path) -> None:
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(certificate)
    async with serving({"/": answer_of(b"secret")}, tls=own) as web:
        with pytest.raises(HostUnreachable, match="CertVerification"):
            await AT_HOME.get(web.url)
        assert web.got == []
        trusting = ssl.create_default_context(cafile=str(certificate))
        assert (await Fetcher(Reach(private_too=True, tls=trusting)).get(web.url)).body == b"secret"


async def test_a_redirect_that_gives_up_encryption_is_not_followed(certificate: Path) -> None:
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(certificate)
    trusting = ssl.create_default_context(cafile=str(certificate))
    async with serving({"/": redirect_to("http://example.org/")}, tls=own) as web:
        with pytest.raises(AddressRefused, match="without encryption"):
            await Fetcher(Reach(private_too=True, tls=trusting)).get(web.url)


@settings(deadline=None)
@example("A://[#")
@given(st.text(max_size=40) | st.text(alphabet="htps:/@[]%.0123456789xabcdef\\#?", max_size=40).map("http://".__add__))
def test_no_text_is_anything_else_than_good_or_refused(url: str) -> None:
    async def fetch() -> None:
        async def resolve(host: str, port: int) -> Sequence[str]:
            return ["127.0.0.1"]

        with pytest.raises(FetchFailed):
            await Fetcher(Reach(resolve=resolve)).get(url)

    asyncio.run(fetch())
