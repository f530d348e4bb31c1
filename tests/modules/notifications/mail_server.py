"""A mail server on loopback: a small real one that notes what it is sent, and says what a test wants it to say."""

import asyncio
import base64
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default


@dataclass(slots=True)
class Got:
    """One mail: the envelope, and what was in it."""

    sender: str
    recipients: list[str]
    raw: bytes
    encrypted: bool

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=default)  # pyright: ignore[reportReturnType, reportArgumentType]

    def part(self, subtype: str) -> str:
        body = self.message.get_body((subtype,))
        assert body
        return body.get_content()


@dataclass(slots=True)
class MailServer:
    """
    Attributes:
        answers: what it says to a command in place of `250`, such as `{"RCPT": "550 no such person"}`.
        hangs_up: it takes the mail and then says nothing.
    """

    tls: ssl.SSLContext | None = None
    starttls: bool = False
    password: str = ""
    answers: dict[str, str] = field(default_factory=dict[str, str])
    hangs_up: bool = False
    port: int = 0
    got: list[Got] = field(default_factory=list[Got])
    connections: int = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._talk(reader, writer)
        writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender, recipients = "", list[str]()
        encrypted = self.tls is not None and not self.starttls
        writer.write(self._answer("HELLO", "220 mail.test ready"))
        while line := await reader.readline():
            command, _, rest = line.decode().strip().partition(" ")
            if command == "STARTTLS":
                writer.write(b"220 go ahead\r\n")
                await writer.drain()
                assert self.tls
                await writer.start_tls(self.tls)
                encrypted = True
            elif command == "DATA":
                writer.write(b"354 go on\r\n")
                raw = await reader.readuntil(b"\r\n.\r\n")
                answer = self._answer("DATA")
                if answer.startswith(b"2"):
                    self.got.append(Got(sender, recipients, raw[:-3].replace(b"\r\n..", b"\r\n."), encrypted))
                if self.hangs_up:
                    return
                writer.write(answer)
            else:
                sender = rest if command == "MAIL" else sender
                recipients = [*recipients, rest] if command == "RCPT" else recipients
                writer.write(self._reply(command, rest, offers_tls=self.starttls and not encrypted))
            await writer.drain()

    def _reply(self, command: str, rest: str, *, offers_tls: bool) -> bytes:
        if command == "EHLO":
            offers = ["mail.test", "SMTPUTF8", "8BITMIME", "AUTH PLAIN", *(["STARTTLS"] if offers_tls else [])]
            return "".join(f"250-{offer}\r\n" for offer in offers).encode() + b"250 HELP\r\n"
        if command == "AUTH":
            shown = base64.b64decode(rest.split()[1]).split(b"\0")[-1].decode()
            return b"235 welcome\r\n" if shown == self.password else b"535 wrong\r\n"
        return b"221 bye\r\n" if command == "QUIT" else self._answer(command)

    def _answer(self, command: str, usual: str = "250 ok") -> bytes:
        return self.answers.get(command, usual).encode() + b"\r\n"


@asynccontextmanager
async def mail_server(tls: ssl.SSLContext | None = None, *, starttls: bool = False) -> AsyncGenerator[MailServer]:
    server = MailServer(tls, starttls)
    at_once = tls if not starttls else None
    listening = await asyncio.start_server(server.talk, "127.0.0.1", 0, ssl=at_once)
    server.port = listening.sockets[0].getsockname()[1]
    yield server
    listening.close()
