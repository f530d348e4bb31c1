"""Somebody at a browser of their own: what they do, what they see, and what went wrong unseen."""

import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import BrowserContext, ConsoleMessage, Locator, Page, Request, WebError, expect

# What the page would not tell: a rule of its content policy broken, and how far its parts jumped by themselves.
_WATCH = """
window.ocpShift = 0;
window.ocpJumps = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue;
    window.ocpShift += entry.value;
    for (const { node } of entry.sources) window.ocpJumps.push(node?.outerHTML?.slice(0, 160));
  }
}).observe({ type: 'layout-shift', buffered: true });
document.addEventListener('securitypolicyviolation', (event) => {
  console.error(`policy broken: ${event.violatedDirective} by ${event.blockedURI}`);
});
"""
# The text of the document; the lines on the page also hold people's names.
_TEXT = "document.querySelector('.cm-content')?.cmTile.root.view.state.doc.toString()"
_LARGEST_SHIFT = 0.02


@dataclass
class Person:
    """A browser context with one page."""

    context: BrowserContext
    page: Page
    url: str
    troubles: list[str] = field(default_factory=list[str])

    @classmethod
    async def at(cls, context: BrowserContext, url: str) -> "Person":
        await context.add_init_script(_WATCH)
        person = cls(context, await context.new_page(), url)
        context.on("console", person._hear)
        context.on("weberror", person._fail)
        context.on("request", person._ask)
        return person

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.troubles.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def _fail(self, error: WebError) -> None:
        self.troubles.append(f"uncaught: {error.error}")

    def _ask(self, request: Request) -> None:
        own = (self.url, self.url.replace("http", "ws", 1), "data:", "blob:")
        if not request.url.startswith(own):
            self.troubles.append(f"asked somebody else: {request.url}")

    def expects_failures(self) -> None:
        """The browser complains about requests that were meant to fail; forget those so far."""
        self.troubles.clear()

    # Getting about.

    async def goes_to(self, path: str) -> None:
        await self.page.goto(self.url + path)

    @asynccontextmanager
    async def is_answered(self, method: str) -> AsyncGenerator[None]:
        """Until the server has answered such a request: what is shown at once may still be on its way."""
        async with self.page.expect_response(lambda response: response.request.method == method):
            yield

    async def sits_down(self, seat: dict[str, Any]) -> None:
        """Take a seat that was got without this browser."""
        participant = seat["participant"]
        kept = {"token": seat["token"], "participant_id": participant["id"], "name": participant["name"]}
        # A script runs before every page: it must not give back a seat that was given up.
        key, text = json.dumps(f"ocp.seat.{seat['interview_id']}"), json.dumps(json.dumps(kept))
        await self.page.add_init_script(
            f"""if (!sessionStorage.getItem('seated')) {{
                sessionStorage.setItem('seated', 'yes');
                sessionStorage.setItem({key}, {text});
            }}"""
        )

    async def enters(self, interview: dict[str, Any]) -> None:
        """Open the room and wait until the shared text is there."""
        await self.goes_to(f"/interviews/{interview['id']}")
        await expect(self.editor).to_be_visible()
        await self.is_saved()

    # In the room.

    @property
    def editor(self) -> Locator:
        return self.page.get_by_role("textbox", name=re.compile("^Code editor"))

    @property
    def light(self) -> Locator:
        return self.page.locator("header").get_by_role("status")

    @property
    def output(self) -> Locator:
        return self.page.get_by_role("region", name="Output", exact=True)

    async def is_saved(self) -> None:
        """Everything that this person has typed is acknowledged."""
        await expect(self.light).to_have_text("Saved")

    async def text(self) -> str:
        return await self.page.evaluate(_TEXT)

    async def reads(self, text: str) -> None:
        """The editor shows exactly this, now or soon."""
        try:
            await self.page.wait_for_function(f"(text) => {_TEXT} === text", arg=text)
        except Exception as error:
            raise AssertionError(f"expected {text!r}, the editor shows {await self.text()!r}") from error

    async def reads_within(self, *parts: str) -> None:
        """The editor's text holds each of these exactly once, now or soon."""
        once = f"(parts) => {{ const text = {_TEXT} ?? ''; return parts.every((p) => text.split(p).length === 2); }}"
        try:
            await self.page.wait_for_function(once, arg=list(parts))
        except Exception as error:
            raise AssertionError(f"expected {parts!r} once each, the editor shows {await self.text()!r}") from error

    async def reads_some(self, part: str) -> None:
        """The editor's text holds this by now, or soon."""
        await self.page.wait_for_function(f"(part) => {_TEXT}?.includes(part)", arg=part)

    async def types(self, text: str, *, delay_ms: float = 0) -> None:
        """Key by key, at the caret."""
        await self.editor.focus()
        await self.page.keyboard.type(text, delay=delay_ms)

    async def types_at_end(self, text: str, *, delay_ms: float = 0) -> None:
        await self.editor.focus()
        await self.page.keyboard.press("Control+End")
        await self.page.keyboard.type(text, delay=delay_ms)

    async def types_at_start(self, text: str, *, delay_ms: float = 0) -> None:
        await self.editor.focus()
        await self.page.keyboard.press("Control+Home")
        await self.page.keyboard.type(text, delay=delay_ms)

    async def replaces_all(self, text: str) -> None:
        """Select all and put this in its place, as one edit that no indenting changes."""
        await self.editor.focus()
        await self.page.keyboard.press("Control+a")
        if text:
            await self.page.keyboard.insert_text(text)
        else:
            await self.page.keyboard.press("Delete")
        await self.reads(text)

    async def runs(self) -> None:
        await self.page.get_by_role("button", name="Run", exact=True).click()

    async def pastes(self, text: str) -> None:
        """Paste from a clipboard that holds this text."""
        await self.editor.focus()
        await self.page.evaluate(
            """(text) => {
                const clipboardData = new DataTransfer();
                clipboardData.setData('text/plain', text);
                const event = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
                document.querySelector('.cm-content').dispatchEvent(event);
            }""",
            text,
        )

    async def picks_language(self, name: str) -> None:
        await self.page.locator("header").get_by_label(re.compile("^Language")).click()
        # Several are called JavaScript and something.
        await self.page.locator(f'[role="option"][data-label="{name}"]').click()

    async def opens_tab(self, name: str) -> None:
        await self.page.get_by_role("tab", name=re.compile(f"^{name}")).click()

    async def confirms(self, verb: str) -> None:
        await self.page.get_by_role("dialog").get_by_role("button", name=verb, exact=True).click()

    # Afterwards.

    async def nothing_jumped(self) -> None:
        shift = await self.page.evaluate("window.ocpShift")
        jumps = await self.page.evaluate("window.ocpJumps")
        assert shift <= _LARGEST_SHIFT, f"parts of {self.page.url} moved by {shift:.3f}: {jumps}"

    def saw_no_trouble(self) -> None:
        assert not self.troubles, "\n".join(self.troubles)
