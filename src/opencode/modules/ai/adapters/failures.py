"""Why a provider could not be reached, in words, and what to do about it."""

import socket
import ssl
from http import HTTPStatus

from opencode.modules.ai.adapters.http_client import AnswerTimedOut, BrokeOff, ConnectTimedOut, NotConnected, NotHttp
from opencode.modules.ai.domain.registry import Upstream

_TO_START = "Is the server started, and is this its address?"


def failure_of(error: Exception, upstream: Upstream) -> tuple[str, str]:
    """
    What happened, and what to do, for everything that a call raises: `CallFailed`, and ValueError for a header that
    cannot be sent.
    """
    at, timeouts = upstream.base_url, upstream.timeouts
    match error:
        case NotConnected():
            return _while_connecting(error.__cause__, at)
        case ConnectTimedOut():
            action = "Is a firewall in between? timeouts.connect_s says how long to wait."
            return f"{at} took no connection within {timeouts.connect_s:g} s", action
        case AnswerTimedOut() | TimeoutError():
            return f"{at} took the connection, and then did not answer", "Is it overloaded, or still loading a model?"
        case BrokeOff():
            return f"{at} broke off before its answer was whole", "See what it logged."
        case NotHttp():
            return f"{at} answers, but not with HTTP", "Does it want https://… in place of http://…, or another port?"
        case ValueError():
            return "its key, or a header of it, cannot be sent: there is a line break in it", _where_key(upstream)
        case _:
            return f"{at} could not be asked ({type(error).__name__})", _TO_START


def _while_connecting(cause: BaseException | None, at: str) -> tuple[str, str]:
    match cause:
        case socket.gaierror() | UnicodeError():
            return f"the name of {at} is not known", "Is it spelt right? Does this machine reach its name server?"
        case ssl.SSLCertVerificationError():
            why = cause.verify_message or "it is not good"
            return f"the certificate of {at} is not trusted: {why}", "SSL_CERT_FILE names the authorities to trust."
        case ssl.SSLError() | ConnectionResetError() | ConnectionAbortedError() if at.startswith("https:"):
            return f"{at} does not speak TLS as it should", "Does it speak plain HTTP? Then its address is http://…"
        case ConnectionRefusedError():
            return f"the connection to {at} is refused", _TO_START
        case _:
            why = (getattr(cause, "strerror", None) or "no connection").lower()
            return f"{at} cannot be reached: {why}", _TO_START


def refusal_of(status: int, upstream: Upstream) -> tuple[str, str]:
    """What a status means that is no answer to the question; empty words for one that says that all is well."""
    at = upstream.base_url
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        if not upstream.api_key and not upstream.headers:
            return f"{status}: {at} wants a key, and there is none", "Give the provider an api_key."
        return f"{status}: the key is refused", _where_key(upstream)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "", ""
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return (
            f"{status}: {at} sends callers elsewhere, which keys do not follow",
            "Write the address that it moved to.",
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return f"{status}: {at} has a fault", "See what it logged, or its makers' page of incidents."
    return f"{status}: {at} does not know this call", "Is the path in base_url right?"


def _where_key(upstream: Upstream) -> str:
    return f"It comes from {upstream.key_source}." if upstream.key_source else "Look at the provider's headers."
