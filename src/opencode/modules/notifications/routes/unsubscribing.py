"""The link at the foot of every mail (RFC 8058): it works without signing in, and only a POST changes anything."""

from html import escape
from typing import Annotated

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from opencode.modules.notifications.service.preferring import Preferring

_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
}

LeaveToken = Annotated[str, QueryParameter(name="token", max_length=1000, description="as it is in the mail")]


class UnsubscribeController(Controller):
    path = "/api/v1/notices/unsubscribe"
    tags = ("Notifications",)

    @get("/", operation_id="ask_before_unsubscribing", summary="Ask whether mails are to end", media_type="text/html")
    async def ask(self, preferring: NamedDependency[Preferring], leave_token: LeaveToken) -> Response[str]:
        """Programs that look at links before people do change nothing by it."""
        what = escape(_words(preferring.kind_of(leave_token)))
        return _page(f'<p>No more {what}?</p><form method="post"><button>No more of these mails</button></form>')

    @post(
        "/",
        operation_id="unsubscribe_from_mails",
        summary="Get no more of these mails",
        status_code=200,
        media_type="text/html",
    )
    async def leave(self, preferring: NamedDependency[Preferring], leave_token: LeaveToken) -> Response[str]:
        """Twice is the same as once. What is told in the inbox stays as it is."""
        await preferring.unsubscribe(leave_token)
        what = escape(_words(preferring.kind_of(leave_token)))
        return _page(f"<p>You get no more {what}. Your preferences bring them back.</p>")


def _words(kind: str) -> str:
    return f"mails about {kind}" if kind else "mails from this server"


def _page(body: str) -> Response[str]:
    head = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Mails</title></head>'
    return Response(f"{head}<body>{body}</body></html>", media_type="text/html", headers=_HEADERS)
