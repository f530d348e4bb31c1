"""Somebody who takes payments: a real server on loopback that speaks as much of Stripe's API as is used."""

import asyncio
import hashlib
import hmac
import itertools
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from opencode.kernel.clock import Clock

Json = dict[str, Any]
SECRET_KEY = "sk_test_ours"
WEBHOOK_SECRET = "whsec_ours"


@dataclass(slots=True)
class Call:
    path: str
    key: str
    form: dict[str, str]


@dataclass(slots=True)
class StripeServer:
    """
    Attributes:
        calls: all that were answered, in order; one that is repeated with its key is answered as before.
        failing: status and body for the next calls, one each; None hangs up without a word.
        losing: answers are made, and then lost on the way, for so many calls.
        account_currency: of the account that money is paid into; what is paid in another is exchanged.
    """

    clock: Clock
    port: int = 0
    calls: list[Call] = field(default_factory=list[Call])
    failing: list[tuple[int, bytes] | None] = field(default_factory=list["tuple[int, bytes] | None"])
    losing: int = 0
    account_currency: str = "eur"
    sessions: dict[str, Json] = field(default_factory=dict[str, Json])
    refunded: dict[str, int] = field(default_factory=dict[str, int])
    _answers: dict[str, tuple[dict[str, str], int, Json]] = field(
        default_factory=dict[str, "tuple[dict[str, str], int, Json]"]
    )
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = await reader.readexactly(int(headers["content-length"]))
        assert headers["content-type"] == "application/x-www-form-urlencoded"
        answer = self._answer(head[0].split(" ")[1], headers, dict(parse_qsl(body.decode(), strict_parsing=bool(body))))
        if answer is None or self.losing:
            self.losing = max(0, self.losing - 1)
        else:
            status, raw = answer
            writer.write(f"HTTP/1.1 {status} Said\r\nContent-Length: {len(raw)}\r\n\r\n".encode() + raw)
            await writer.drain()
        writer.close()

    def _answer(self, path: str, headers: dict[str, str], form: dict[str, str]) -> tuple[int, bytes] | None:
        if self.failing:
            return self.failing.pop(0)
        if headers["authorization"] != f"bearer {SECRET_KEY}":
            return 401, b"{}"
        key = headers["idempotency-key"]
        if key in self._answers:
            first_form, status, said = self._answers[key]
            if form != first_form:
                return 400, b'{"error": {"type": "idempotency_error"}}'
        else:
            self.calls.append(Call(path, key, form))
            status, said = self._do(path, form)
            self._answers[key] = (form, status, said)
        return status, msgspec.json.encode(said)

    def _do(self, path: str, form: dict[str, str]) -> tuple[int, Json]:
        if path == "/v1/checkout/sessions":
            session_id = f"cs_test_{next(self._numbers)}"
            self.sessions[session_id] = {"status": "open", **form}
            return 200, {
                "id": session_id,
                "url": f"https://pay.example.org/c/{session_id}",
                "object": "checkout.session",
            }
        if path == "/v1/refunds":
            payment = form["payment_intent"]
            self.refunded[payment] = self.refunded.get(payment, 0) + int(form["amount"])
            return 200, {"id": f"re_{next(self._numbers)}", "status": "succeeded"}
        session = self.sessions.get(path.split("/")[4])
        if not session or session["status"] != "open":
            return 400, {"error": {"type": "invalid_request_error", "code": "resource_missing"}}
        session["status"] = "expired"
        return 200, {"id": path.split("/")[4]}

    # What it tells.

    def event(self, kind: str, thing: Json, event_id: str | None = None) -> bytes:
        event_id = event_id or f"evt_{next(self._numbers)}"
        return msgspec.json.encode({"id": event_id, "object": "event", "type": kind, "data": {"object": thing}})

    def session_event(self, order: Json, kind: str = "completed", *, status: str = "paid", **changed: Any) -> bytes:
        thing: Json = {
            "id": "cs_test_of_event",
            "object": "checkout.session",
            "payment_status": status,
            "amount_total": order["amount_minor"],
            "currency": order["currency"].lower(),
            "payment_intent": f"pi_{order['id']}",
            "client_reference_id": order["id"],
            "metadata": {"order_id": order["id"]},
        }
        return self.event(f"checkout.session.{kind}", {**thing, **changed})

    def refund_event(self, order: Json, amount: int, **changed: Any) -> bytes:
        thing: Json = {
            "id": "ch_1",
            "object": "charge",
            "amount_refunded": amount,
            "currency": order["currency"].lower(),
            "payment_intent": f"pi_{order['id']}",
            "metadata": {"order_id": order["id"]},
        }
        return self.event("charge.refunded", {**thing, **changed})

    def single_refund_event(self, order: Json, number: int, amount: int, status: str, **changed: Any) -> bytes:
        thing: Json = {
            "id": f"re_of_{order['id']}_{number}",
            "object": "refund",
            "amount": amount,
            "currency": order["currency"].lower(),
            "status": status,
            "payment_intent": f"pi_{order['id']}",
            "metadata": {},
        }
        kind = "refund.failed" if status == "failed" else "charge.refund.updated"
        return self.event(kind, {**thing, **changed})

    def dispute_event(
        self, order: Json, kind: str, status: str, *, fees: Mapping[str, int] = MappingProxyType({}), **changed: Any
    ) -> bytes:
        """Args: fees: by the name of the balance transaction, in the money of the account."""
        bookings: list[Json] = [
            {
                "id": f"txn_{name}_of_{order['id']}",
                "object": "balance_transaction",
                "amount": -order["amount_minor"] if fee >= 0 else order["amount_minor"],
                "currency": self.account_currency,
                "exchange_rate": None if self.account_currency == order["currency"].lower() else 1.1,
                "fee": fee,
                "fee_details": [{"amount": fee, "currency": self.account_currency, "type": "stripe_fee"}],
                "reporting_category": "dispute" if fee >= 0 else "dispute_reversal",
                "type": "adjustment",
            }
            for name, fee in fees.items()
        ]
        thing: Json = {
            "id": f"dp_of_{order['id']}",
            "object": "dispute",
            "amount": order["amount_minor"],
            "currency": order["currency"].lower(),
            "status": status,
            "charge": "ch_1",
            "payment_intent": f"pi_{order['id']}",
            "balance_transactions": bookings,
            "metadata": {},
        }
        return self.event(f"charge.dispute.{kind}", {**thing, **changed})

    def signed(self, body: bytes, *, secret: str = WEBHOOK_SECRET, late_s: int = 0) -> dict[str, str]:
        """The header, made here by the letter of the scheme and not by the code under test."""
        moment = int(self.clock.now().timestamp()) - late_s
        good = hmac.new(secret.encode(), b"%d." % moment + body, hashlib.sha256).hexdigest()
        return {"stripe-signature": f"t={moment},v1={'0' * 64},v1={good},v0=old"}


@asynccontextmanager
async def taking_payments(clock: Clock) -> AsyncGenerator[StripeServer]:
    stripe = StripeServer(clock)
    server = await asyncio.start_server(stripe.take, "127.0.0.1", 0)
    stripe.port = server.sockets[0].getsockname()[1]
    yield stripe
    server.close()
