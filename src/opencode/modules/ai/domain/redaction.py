"""
Personal data taken out of a request before it leaves the house, as far as its shape tells it: addresses of e-mail,
telephone numbers, numbers of payment cards (with their check digit, ISO/IEC 7812-1), addresses of IP.
"""

import ipaddress
import re
from collections.abc import Callable
from typing import Any

from opencode.modules.ai.domain.configuration.model import Redaction
from opencode.modules.ai.domain.dialects.decoding import NotJsonError, RequestNotUnderstoodError, decoded, encoded

_EMAIL = re.compile(r"[A-Za-z0-9._%+\-]{1,64}@(?:[A-Za-z0-9\-]{1,63}\.){1,8}[A-Za-z]{2,63}\b")
_CARD = re.compile(r"(?<![\w.])\d(?:[ \-]?\d){12,18}(?![\w])")
# With a plus, or in groups: a plain row of digits is more often something else.
_PHONE = re.compile(
    r"(?<![\w.+\-])(?:\+\d{1,3}[ .\-/]?(?:\(\d{1,5}\)[ .\-/]?)?\d(?:[ .\-/]?\d){5,13}"
    r"|(?:\(\d{2,5}\)[ .\-/]?|\d{2,5}[ .\-/])\d{2,5}(?:[ .\-/]\d{2,5}){1,3})(?![\w\-])"
)
_IP4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
_IP6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9A-Fa-f]{1,4}|(?:\d{1,3}\.){3}\d{1,3})?(?![\w:])")
_LEAST_CARD, _LEAST_PHONE, _MOST_PHONE = 13, 7, 15
"""Digits. No telephone number has more than 15 (ITU-T E.164)."""
_DATE = re.compile(r"\d{4}[.\-/]\d{1,2}[.\-/]\d{1,2}|\d{1,2}[.\-/]\d{1,2}[.\-/]\d{2,4}")
_UNTOUCHED = frozenset({"model"})

Replace = Callable[[str], str]


def redacts(policy: Redaction) -> bool:
    """Whether anything is to be taken out."""
    return policy.email_addresses or policy.phone_numbers or policy.card_numbers or policy.ip_addresses


def redacted(body: bytes, policy: Redaction) -> bytes:
    """
    A request without what the policy names: `[email]`, `[card]`, `[ip]` or `[phone]` stands in its place. Names of
    fields, the model's name and pictures stay as they are.

    Raises:
        RequestNotUnderstoodError: it is no JSON object.
    """
    try:
        fields = decoded(body, dict[str, Any])
    except NotJsonError as error:
        raise RequestNotUnderstoodError(str(error), error.place) from error
    replace = _replacer(policy)
    return encoded({name: each if name in _UNTOUCHED else _without(each, replace) for name, each in fields.items()})


def _without(value: Any, replace: Replace) -> Any:
    if isinstance(value, str):
        return value if value.startswith("data:") else replace(value)
    if isinstance(value, list):
        items: list[Any] = value
        return [_without(each, replace) for each in items]
    if isinstance(value, dict):
        fields: dict[str, Any] = value
        # The text of a picture is no text: Anthropic's is in `data`, Ollama's in `images`.
        if fields.get("type") == "base64":
            return fields
        return {name: each if name == "images" else _without(each, replace) for name, each in fields.items()}
    return value


def _replacer(policy: Redaction) -> Replace:
    # Cards before telephone numbers, which their groups of digits resemble.
    steps: list[Replace] = []
    if policy.email_addresses:
        steps.append(lambda text: _EMAIL.sub("[email]", text) if "@" in text else text)
    if policy.ip_addresses:
        steps.append(lambda text: _IP6.sub(_ip_or_same, _IP4.sub(_ip_or_same, text)))
    if policy.card_numbers:
        steps.append(lambda text: _CARD.sub(_card_or_same, text))
    if policy.phone_numbers:
        steps.append(lambda text: _PHONE.sub(_phone_or_same, text))

    def replace(text: str) -> str:
        for step in steps:
            text = step(text)
        return text

    return replace


def _ip_or_same(found: re.Match[str]) -> str:
    # `a::b` is a name in many languages before it is an address.
    if not any(each.isdigit() for each in found[0]):
        return found[0]
    try:
        ipaddress.ip_address(found[0])
    except ValueError:
        return found[0]
    return "[ip]"


def _card_or_same(found: re.Match[str]) -> str:
    digits = [int(each) for each in found[0] if each.isdigit()]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    is_card = len(digits) >= _LEAST_CARD and any(digits) and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
    return "[card]" if is_card else found[0]


def _phone_or_same(found: re.Match[str]) -> str:
    digits = sum(each.isdigit() for each in found[0])
    return found[0] if not _LEAST_PHONE <= digits <= _MOST_PHONE or _DATE.fullmatch(found[0]) else "[phone]"
