"""
What can go wrong when a stranger's address is called.

    FetchFailed
    ├── AddressRefused        it is not called at all; the address is at fault
    ├── HostUnreachable       no such name, no connection, no trust in its certificate
    ├── AnswerTooSlow         not done in time
    ├── AnswerTooLarge        more bytes than are read
    ├── AnswerNotUnderstood   not HTTP, broken off, compressed, or redirects without end
    └── FetchRefused          the other server said no; carries `status` and `headers`
"""

from collections.abc import Mapping

from opencode.kernel.errors import Invalid, Unavailable

_SHOWN = 200


class FetchFailed(Unavailable):
    """Something could not be fetched from another server."""

    title = "It could not be fetched"


class AddressRefused(FetchFailed, Invalid):
    """An address of a kind that this server does not call, such as one in its own network."""

    title = "This address is not called"


class HostUnreachable(FetchFailed):
    """The host has no address, takes no connection, or shows a certificate that is not trusted."""

    title = "The host cannot be reached"


class AnswerTooSlow(FetchFailed):
    """The other server was not done in time."""

    title = "The other server is too slow"


class AnswerTooLarge(FetchFailed):
    """The other server sent more than is read."""

    title = "The other server's answer is too large"


class AnswerNotUnderstood(FetchFailed):
    """What the other server sent is no answer of HTTP, broke off, is compressed though nobody asked, or leads around in
    circles."""

    title = "The other server's answer is not understood"


class FetchRefused(FetchFailed):
    """The other server answered that it does not give this."""

    title = "The other server refused"

    def __init__(self, url: str, status: int, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{shown(url)} answered {status}.", action=_what_to_do(status))
        self.status = status
        self.headers = headers or {}


def shown(url: str) -> str:
    """A stranger's text, as it may stand in a message: short, and without letters that a screen would not show."""
    return "".join(letter if letter.isprintable() else "�" for letter in url[:_SHOWN])


def _what_to_do(status: int) -> str:
    if status in (401, 403):
        return "Make it public, or use another address."
    if status in (404, 410):
        return "Check the address; is it public?"
    return "Try again later." if status == 429 or status >= 500 else "Check the address."
