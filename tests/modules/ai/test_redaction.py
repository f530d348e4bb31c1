"""Personal data is taken out of requests where its shape tells it, and what only resembles it stays."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencode.modules.ai.domain.configuration.model import Redaction
from opencode.modules.ai.domain.dialects.decoding import RequestNotUnderstoodError
from opencode.modules.ai.domain.redaction import redacted

ALL = Redaction(email_addresses=True, phone_numbers=True, card_numbers=True, ip_addresses=True)


def said(text: str, policy: Redaction = ALL) -> str:
    body = {"model": "lab/a@b.example.org", "messages": [{"role": "user", "content": text}]}
    told = json.loads(redacted(json.dumps(body).encode(), policy))
    assert told["model"] == body["model"]
    return told["messages"][0]["content"]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Write to ada@example.org, please.", "Write to [email], please."),
        ("<a.b+c@mail.example.co.uk>", "<[email]>"),
        ("Call +49 30 1234567 or (030) 123-4567.", "Call [phone] or [phone]."),
        ("It is 555-123-4567!", "It is [phone]!"),
        ("Card 4111 1111 1111 1111 and 5500-0000-0000-0004", "Card [card] and [card]"),
        ("From 192.0.2.7 and 2001:db8::1, not 300.1.1.1", "From [ip] and [ip], not 300.1.1.1"),
    ],
)
def test_what_is_personal_is_taken_out(text: str, left: str) -> None:
    assert said(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "version 1.2.3 of 2026-11-27, at 10:20:30",
        "4111 1111 1111 1112 is no card, 1234567890123456 neither",
        "order 123456789 and call_01ABCDEF0123456789",
        "x = a @ b; decorators are @property",
        "std::vector<int> and a::b",
        "pi is 3.14159265358979",
        "0.1.2.3.4",
        "27/11/2026",
    ],
)
def test_what_only_resembles_it_stays(text: str) -> None:
    assert said(text) == text


def test_only_what_is_named_is_taken_out() -> None:
    text = "ada@example.org 192.0.2.7"
    assert said(text, Redaction(email_addresses=True)) == "[email] 192.0.2.7"
    assert said(text, Redaction(ip_addresses=True)) == "ada@example.org [ip]"


def test_everywhere_in_a_request_but_not_in_pictures_or_names() -> None:
    picture = {"type": "base64", "media_type": "image/png", "data": "4111111111111111"}
    body: dict[str, Any] = {
        "system": "I am ada@example.org",
        "tools": [{"name": "f", "input_schema": {"ada@example.org": {"description": "ada@example.org"}}}],
        "messages": [
            {"content": [{"type": "image", "source": picture}, {"type": "text", "text": "ada@example.org"}]},
            {"content": "", "images": ["4111111111111111"]},
            {"content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,4111111111111111"}}]},
        ],
    }
    told = json.loads(redacted(json.dumps(body).encode(), ALL))
    assert told["system"] == "I am [email]"
    assert told["tools"][0]["input_schema"] == {"ada@example.org": {"description": "[email]"}}
    assert told["messages"][0]["content"] == [
        {"type": "image", "source": picture},
        {"type": "text", "text": "[email]"},
    ]
    assert told["messages"][1:] == body["messages"][1:]


@settings(max_examples=50)
@given(st.recursive(st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(alphabet="abc \n"), st.lists))
def test_what_holds_nothing_personal_comes_out_as_it_went_in(value: Any) -> None:
    assert json.loads(redacted(json.dumps({"x": value}).encode(), ALL)) == {"x": value}


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b"\xff"])
def test_what_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(RequestNotUnderstoodError):
        redacted(body, ALL)


def test_a_hostile_text_takes_no_longer_than_its_length() -> None:
    for text in ("1 " * 100_000, "a" * 200_000 + "@", "1-" * 100_000, ":" * 100_000, "a." * 100_000, "(12)" * 50_000):
        assert len(said(text)) <= len(text)
