"""
TXT records over UDP, and over TCP when there are many (RFC 1035, 6891, 7766): one question, one answer.

By hand, because the standard library asks for addresses only. An answer counts when it comes from the server that was
asked, to the port that asked, with the id and the question that were sent.
"""

import asyncio
import secrets
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from opencode.kernel.errors import Invalid, Unavailable

TIMEOUT_S = 3.0

_TRIES = 2
_PORT = 53
_MOST_SERVERS = 3  # resolv.conf(5), MAXNS
_CONFIGURATION = Path("/etc/resolv.conf")
_TXT, _IN = 16, 1
_RECURSION_DESIRED, _IS_ANSWER, _IS_CUT = 0x0100, 0x8000, 0x0200
# EDNS: answers of 1,232 bytes fit through nearly every network (dnsflagday.net/2020). The name is the root's.
_LARGER_ANSWERS = b"\0" + struct.pack("!2HIH", 41, 1232, 0, 0)
_NO_SUCH_NAME = 3
_HEADER = struct.Struct("!6H")
_QUESTION = struct.Struct("!2H")
_RECORD = struct.Struct("!2HIH")
_LENGTH = struct.Struct("!H")
_LONGEST_NAME, _LONGEST_LABEL = 253, 63
_MOST_RECORDS = 200


class DomainInvalid(Invalid):
    """A text is no name of a domain."""

    title = "This is no domain"


class DnsUnavailable(Unavailable):
    """The resolver did not answer, or its answer is not understood."""

    title = "The name server does not answer"


@dataclass(frozen=True, slots=True)
class TxtResolver:
    """
    Asks for TXT records.

    Args:
        servers: IP addresses and ports, asked in turn; none stands for those in /etc/resolv.conf.
        timeout_s: for each server and try.
    """

    servers: Sequence[tuple[str, int]] = ()
    timeout_s: float = TIMEOUT_S

    async def texts(self, domain: str) -> list[str]:
        """
        All TXT records of a domain, their parts joined. None is an answer: the name, or such a record, is not there.

        Raises:
            DomainInvalid, DnsUnavailable
        """
        question = _question(domain)
        for server in [*(self.servers or await asyncio.to_thread(servers_of))] * _TRIES:
            try:
                async with asyncio.timeout(self.timeout_s):
                    return await _ask(server, question)
            except (OSError, _NotUnderstood):  # TimeoutError is one
                continue
        raise DnsUnavailable(f"Nobody told the TXT records of {domain}.", action="Try again later.")


class _NotUnderstood(Exception):
    """What came answers nothing."""


async def _ask(server: tuple[str, int], question: bytes) -> list[str]:
    ident = secrets.randbelow(2**16)
    sent = _HEADER.pack(ident, _RECURSION_DESIRED, 1, 0, 0, 1) + question + _LARGER_ANSWERS
    answer = await _over_udp(server, sent, _Expected(ident, question))
    if _flags(answer) & _IS_CUT:
        answer = await _over_tcp(server, sent)
        if not _Expected(ident, question).is_met_by(answer):
            raise _NotUnderstood
    return _texts_in(answer, len(question))


async def _over_udp(server: tuple[str, int], sent: bytes, expected: "_Expected") -> bytes:
    conversation = _Conversation(expected)
    # Connected: the kernel drops what comes from other addresses and ports.
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: conversation, remote_addr=server)
    try:
        transport.sendto(sent)
        return await conversation.answer
    finally:
        transport.close()


async def _over_tcp(server: tuple[str, int], sent: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(*server)
    try:
        writer.write(_LENGTH.pack(len(sent)) + sent)
        await writer.drain()
        return await reader.readexactly(*_LENGTH.unpack(await reader.readexactly(_LENGTH.size)))
    except asyncio.IncompleteReadError:
        raise _NotUnderstood from None
    finally:
        writer.transport.abort()


@dataclass(frozen=True, slots=True)
class _Expected:
    """What tells the answer from everything else that could come."""

    ident: int
    question: bytes

    def is_met_by(self, data: bytes) -> bool:
        if len(data) < _HEADER.size + len(self.question):
            return False
        ident, flags, questions, *_ = _HEADER.unpack_from(data)
        asked = data[_HEADER.size : _HEADER.size + len(self.question)]
        # Names compare without case; some resolvers change it.
        is_same = (ident, questions, asked.lower()) == (self.ident, 1, self.question.lower())
        return is_same and bool(flags & _IS_ANSWER)


class _Conversation(asyncio.DatagramProtocol):
    """Waits for the answer to one question; whatever else comes is not listened to."""

    def __init__(self, expected: _Expected) -> None:
        self._expected = expected
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: tuple[str | bytes, int]) -> None:
        del addr
        if not self.answer.done() and self._expected.is_met_by(data):
            self.answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)


def _flags(data: bytes) -> int:
    return _HEADER.unpack_from(data)[1]


def _texts_in(data: bytes, question_bytes: int) -> list[str]:
    answers = _HEADER.unpack_from(data)[3]
    code = _flags(data) & 0xF
    if code == _NO_SUCH_NAME:
        return []
    if code:
        raise _NotUnderstood
    at = _HEADER.size + question_bytes
    found: list[str] = []
    for _ in range(min(answers, _MOST_RECORDS)):
        at = _after_name(data, at)
        if at + _RECORD.size > len(data):
            raise _NotUnderstood
        kind, group, _, length = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        # An alias (CNAME) comes first, under the name that was asked; the records it leads to follow under theirs.
        if (kind, group) == (_TXT, _IN) and at + length <= len(data):
            found.append(_joined(data[at : at + length]))
        at += length
    return found


def _after_name(data: bytes, at: int) -> int:
    while at < len(data):
        length = data[at]
        if length >= 0xC0:  # the rest of the name is elsewhere, and of no interest
            return at + 2
        if length > _LONGEST_LABEL:
            raise _NotUnderstood
        at += 1 + length
        if length == 0:
            return at
    return at


def _joined(record: bytes) -> str:
    """A record is a row of strings of 255 bytes at the most, each with its length before it."""
    parts: list[bytes] = []
    at = 0
    while at < len(record):
        parts.append(record[at + 1 : at + 1 + record[at]])
        at += 1 + record[at]
    return b"".join(parts).decode(errors="replace")


def domain_of(text: str) -> str:
    """
    A domain as name servers know it: `Bücher.example.` is `xn--bcher-kva.example`.

    Raises:
        DomainInvalid
    """
    try:
        name = text.strip().rstrip(".").encode("idna").lower()
    except UnicodeError:
        name = b""
    labels = name.split(b".")
    is_name = len(labels) > 1 and len(name) <= _LONGEST_NAME and not labels[-1].isdigit()
    if not is_name or not all(_is_label(label) for label in labels):
        raise DomainInvalid(f"{text[:100]!a} is no domain.", action="Write it like example.org.")
    return name.decode()


def _question(domain: str) -> bytes:
    labels = domain_of(domain).encode().split(b".")
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0" + _QUESTION.pack(_TXT, _IN)


def _is_label(label: bytes) -> bool:
    return 0 < len(label) <= _LONGEST_LABEL and label.replace(b"-", b"a").replace(b"_", b"a").isalnum()


def servers_of(configuration: Path = _CONFIGURATION) -> list[tuple[str, int]]:
    """The name servers that a resolv.conf(5) names, three at the most; without any, the one on this machine."""
    try:
        lines = configuration.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    words = [line.split() for line in lines]
    found = [(line[1], _PORT) for line in words if len(line) > 1 and line[0] == "nameserver"]
    return found[:_MOST_SERVERS] or [("127.0.0.1", _PORT)]
