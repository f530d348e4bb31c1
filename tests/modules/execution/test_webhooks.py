"""Whom a server may call, how it signs, and when it tries again."""

import asyncio
from collections.abc import Iterator
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencode.infra.fetching import Caller, CallFailed
from opencode.kernel.addresses import is_public, url_problem
from opencode.modules.execution.domain.webhooks import delay_s, signature

from .queued.receiver import receiving


@pytest.fixture(autouse=True)
def nothing_stays_behind() -> Iterator[None]:
    """No program runs in these tests."""
    yield


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.255.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
        *("100.64.0.1", "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1"),
        *("::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "2002:7f00:1::", "64:ff9b::a00:1"),
    ],
)
def test_addresses_inside_are_not_public_however_they_are_written(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_addresses_of_the_internet_are(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://example.org/hook?x=1", True),
        ("http://example.org:8080", True),
        ("http://1.1.1.1/", True),
        ("http://localhost/", False),
        ("http://a.localhost/", False),
        ("http://127.0.0.1/", False),
        ("http://[::1]/", False),
        ("gopher://example.org/", False),
        ("https:///path", False),
        ("http://a:b@example.org/", False),
        ("http://example.org/\r\nX: y", False),
        ("http://exämple.org/", False),
        ("http://example.org:0/", False),
        ("http://[::1", False),
        ("https://example.org/" + "a" * 2_000, False),
    ],
)
def test_an_address_is_looked_at_when_it_is_given(url: str, good: bool) -> None:
    assert (url_problem(url, private_too=False) is None) is good


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_each_try_comes_later_and_an_hour_later_at_the_most(attempts: int, chance: float) -> None:
    longest = min(5 * 2 ** (attempts - 1), 3600)
    assert longest / 2 <= delay_s(attempts, chance) <= longest


def test_the_signature_covers_the_time_and_the_body() -> None:
    signed = {signature(*each) for each in (("s", 1, b"x"), ("s", 2, b"x"), ("s", 1, b"y"), ("t", 1, b"x"))}
    assert len(signed) == 4
    assert all(each.startswith("t=") and len(each.partition("v1=")[2]) == 64 for each in signed)


async def test_a_call_carries_the_body_and_headers_and_keeps_the_name() -> None:
    async with receiving() as receiver:
        called = await Caller(private_too=True).post(receiver.url, b"{}", {"Content-Type": "application/json"})
        assert called.status == 204
        headers, body = receiver.got[0]
        assert (headers["request"], body) == ("POST /hook?token=t HTTP/1.1", b"{}")
        assert headers["host"] == f"127.0.0.1:{receiver.port}"
        assert headers["content-type"] == "application/json"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_name_that_leads_inside_is_not_called(host: str) -> None:
    async with receiving() as receiver:
        with pytest.raises(CallFailed, match="private network"):
            await Caller().post(f"http://{host}:{receiver.port}/", b"{}", {})
        assert receiver.got == []


@pytest.mark.parametrize("answer", ["HTTP/1.1 302 Found", "HTTP/1.1 500 Oops", "HTTP/1.1 abc", "SSH-2.0-OpenSSH"])
async def test_whatever_is_not_success_is_a_failure_and_redirects_lead_nowhere(answer: str) -> None:
    async with receiving() as receiver:
        receiver.answers = [answer]
        with pytest.raises(CallFailed):
            await Caller(private_too=True).post(receiver.url, b"{}", {})
        assert len(receiver.got) == 1


async def test_a_receiver_that_says_nothing_is_given_up_in_time() -> None:
    async with receiving() as receiver:
        receiver.answers = [""]
        with pytest.raises(CallFailed, match="no answer within"):
            await Caller(private_too=True, timeout_s=0.1).post(receiver.url, b"{}", {})


async def test_nobody_who_listens_is_a_failure_like_any_other() -> None:
    async with receiving() as receiver:
        url = receiver.url
    await asyncio.sleep(0)
    with pytest.raises(CallFailed):
        await Caller(private_too=True, timeout_s=1).post(url, b"{}", {})
