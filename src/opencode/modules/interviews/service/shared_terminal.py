"""One terminal that all people of an interview look at, and its viewers."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from enum import Enum
from typing import Annotated, Any

import msgspec
import structlog
from msgspec import Meta

from opencode.contracts.collaboration import Entry, PeerRole
from opencode.contracts.execution import CodeRunner, RunRefused, Stage, Terminal
from opencode.infra.pubsub import Lagged, PubSub
from opencode.infra.websocket import Socket, binary_frame, text_frame
from opencode.modules.interviews.domain.records import EventType, Said
from opencode.modules.interviews.domain.run import Run
from opencode.modules.interviews.domain.tape import Tape
from opencode.modules.interviews.service.turnstile import Turnstile
from opencode.modules.interviews.store import topic_of

log = structlog.get_logger(__name__)

REPLAY_BYTES = 256 * 1024
"""What somebody who comes later sees of the past, and how far a slow reader may fall behind."""
MAX_UNREAD_KEYS = 64 * 1024
"""Bytes that one person may type ahead of what the program reads."""
MAX_WISHES = 100
"""Resizes and signals of one person that may wait."""

_TURNS = frozenset(
    {
        EventType.INTERVIEW_FROZEN,
        EventType.INTERVIEW_ENDED,
        EventType.PARTICIPANT_REMOVED,
        EventType.PARTICIPANT_LEFT,
    }
)


class Cut(Enum):
    """Why a viewer is cut off: the close code and its reason, as document sockets have them."""

    REVOKED = (4401, "You are no longer part of this interview.")
    GONE = (4404, "There is no such run.")
    ENDED = (4410, "The interview has ended.")


Rights = Callable[[str, str], Awaitable[bool | Cut]]
_Characters = Annotated[int, Meta(ge=1, le=1000)]


class Resize(msgspec.Struct, frozen=True, tag="resize"):
    columns: _Characters
    rows: _Characters


class Eof(msgspec.Struct, frozen=True, tag="eof"):
    """The end of input, as Ctrl-D."""


class Signal(msgspec.Struct, frozen=True, tag="signal"):
    signal: Annotated[str, Meta(min_length=4, max_length=20)]


ClientWord = Resize | Eof | Signal
_read_word = msgspec.json.Decoder(ClientWord).decode


class State(msgspec.Struct, frozen=True, tag="state"):
    """How large the terminal is, and whether this viewer may type."""

    columns: int
    rows: int
    may_type: bool


class Exit(msgspec.Struct, frozen=True, tag="exit"):
    """The program is gone, and what became of it; the last word."""

    status: str | None
    message: str | None
    exit_code: int | None
    signal: str | None


class SharedTerminal:
    """A terminal while its run is under way; the driver of the run tells it what happens (`driving.Watcher`)."""

    def __init__(self, run: Run, size: Terminal, runner: CodeRunner, pubsub: PubSub, rights: Rights) -> None:
        self.run_id = run.id
        self.tape = Tape(REPLAY_BYTES)
        self.size = size
        self.runner = runner
        self.viewers: set[Viewer] = set()
        self._interview_id = run.interview_id
        self._size_of_program = size
        self._pubsub = pubsub
        self._rights = rights
        self._exit: Exit | None = None
        self._watch: asyncio.Task[None] | None = None
        self._chores: set[asyncio.Future[object]] = set()

    @classmethod
    def of_record(
        cls, run: Run, size: Terminal, runner: CodeRunner, pubsub: PubSub, rights: Rights
    ) -> "SharedTerminal":
        """The terminal of a run that is over: it shows what was printed, and ends."""
        terminal = cls(run, size, runner, pubsub, rights)
        if run.compilation:
            terminal.printed("compile", (run.compilation.stdout + run.compilation.stderr).encode())
        terminal.printed(run.stage or "run", (run.stdout + run.stderr).encode())
        terminal.finished(run)
        return terminal

    # --- what the driver tells ---------------------------------------------------------------------------------

    def stage_started(self, stage: Stage) -> None:
        if stage == "run" and self.size != self._size_of_program:
            # Somebody changed the size before there was a program to tell.
            self._size_of_program = self.size
            self._in_passing(self.runner.resize(self.run_id, self.size))

    def printed(self, stage: Stage, data: bytes) -> None:
        # Compilers write to a pipe: no terminal turns their line feeds into new lines.
        self.tape.append(data if stage == "run" else data.replace(b"\n", b"\r\n"))
        for viewer in self.viewers:
            viewer.catch_up()

    def finished(self, run: Run) -> None:
        status = run.status.value if run.status else None
        self._exit = Exit(status, run.message, run.exit_code, run.signal)
        for viewer in list(self.viewers):
            viewer.end(self._exit)

    # --- viewers -----------------------------------------------------------------------------------------------

    def join(self, viewer: "Viewer") -> None:
        viewer.tell_state()
        viewer.catch_up()
        if self._exit:
            viewer.end(self._exit)
            return
        self.viewers.add(viewer)
        if self._watch is None:
            self._watch = asyncio.get_running_loop().create_task(self._watch_rights())
        else:
            # Something may have changed between the viewer's admission and this line.
            self._in_passing(self._ask_again(viewer.peer_id))

    def leave(self, viewer: "Viewer") -> None:
        self.viewers.discard(viewer)
        if not self.viewers and self._watch:
            self._watch.cancel()
            self._watch = None

    def cut_person(self, peer_id: str, why: Cut) -> None:
        for viewer in [viewer for viewer in self.viewers if viewer.peer_id == peer_id]:
            viewer.cut(why)

    async def resize(self, size: Terminal) -> None:
        self.size = size
        if await self.runner.resize(self.run_id, size):
            self._size_of_program = size
        for viewer in self.viewers:
            viewer.tell_state()

    async def _watch_rights(self) -> None:
        """Whoever is frozen, sent away or sees the interview end while they watch is judged by what holds now."""
        try:
            async with self._pubsub.subscribe(topic_of(self._interview_id)) as news:
                await self._ask_all_again()
                async for message in news:
                    if isinstance(message, Lagged) or msgspec.msgpack.decode(message, type=Said).type in _TURNS:
                        await self._ask_all_again()
        except Exception:
            log.exception("rights to a terminal could not be followed", run_id=self.run_id)
            for viewer in list(self.viewers):
                viewer.outlet.close(1011, "The server made a mistake. Connect again.")

    async def _ask_all_again(self) -> None:
        for peer_id in {viewer.peer_id for viewer in self.viewers}:
            await self._ask_again(peer_id)

    async def _ask_again(self, peer_id: str) -> None:
        right = await self._rights(peer_id, self._interview_id)
        for viewer in [viewer for viewer in self.viewers if viewer.peer_id == peer_id]:
            if isinstance(right, Cut):
                viewer.cut(right)
            else:
                viewer.allow(may_type=right)

    def _in_passing(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)


class Viewer:
    """
    One connection to a terminal: a position on its tape, and what it has typed that the program has not read yet.

    A viewer that reads too slowly gets nothing more until it takes bytes again, and then what it missed, or the advice
    to connect again when that is not kept any more.
    """

    def __init__(self, terminal: SharedTerminal, outlet: Socket, entry: Entry) -> None:
        self.outlet = outlet
        self.peer_id = entry.peer_id
        self.may_type = entry.role is PeerRole.WRITE
        self._terminal = terminal
        self._position = terminal.tape.start
        self._congested = False
        self._owes_state = False
        self._keys = Turnstile[bytes](self._type, MAX_UNREAD_KEYS)
        self._wishes = Turnstile[Resize | Signal](self._grant, MAX_WISHES)

    def typed(self, keys: bytes) -> None:
        if self.may_type and not self._keys.put(keys, len(keys)):
            self.outlet.close(1013, "The program does not read what you type. Connect again.")

    def told(self, text: str) -> None:
        try:
            word = _read_word(text)
        except msgspec.DecodeError:
            self.outlet.close(1003, "Text is resize, eof or signal here; see docs/protocol.md.")
            return
        if not self.may_type:
            return
        # The end of input comes after what was typed before it; nothing else waits for a program that reads nothing.
        taken = self._keys.put(b"") if isinstance(word, Eof) else self._wishes.put(word)
        if not taken:
            self.outlet.close(1013, "You ask for more than this server takes. Connect again.")

    def catch_up(self) -> None:
        """Write what the tape has beyond this viewer's position, unless the socket is congested."""
        tape = self._terminal.tape
        if self._congested or self._position == tape.end:
            return
        missed = tape.since(self._position)
        if missed is None:
            self.outlet.close(1013, "This connection reads too slowly. Connect again.")
            return
        self._position = tape.end
        self.outlet.write(binary_frame(missed))

    def congested(self) -> None:
        self._congested = True

    def writable(self) -> None:
        self._congested = False
        self.catch_up()
        if self._owes_state:
            self.tell_state()

    def allow(self, *, may_type: bool) -> None:
        if may_type != self.may_type:
            self.may_type = may_type
            self.tell_state()

    def tell_state(self) -> None:
        self._owes_state = self._congested
        size = self._terminal.size
        if not self._congested:
            self._say(State(size.columns, size.rows, self.may_type))

    def end(self, last: Exit) -> None:
        """The program is gone."""
        self._congested = False
        self.catch_up()
        self._say(last)
        self.outlet.close(1000, "The program has ended.")

    def cut(self, why: Cut) -> None:
        self.may_type = False
        self.outlet.close(*why.value)

    def close(self) -> None:
        self._keys.close()
        self._wishes.close()
        self._terminal.leave(self)

    def _say(self, word: State | Exit) -> None:
        self.outlet.write(text_frame(msgspec.json.encode(word)))

    async def _type(self, keys: bytes) -> None:
        if not self.may_type:
            return
        if keys:
            await self._terminal.runner.write(self._terminal.run_id, keys)
        else:
            await self._terminal.runner.end_input(self._terminal.run_id)

    async def _grant(self, wish: Resize | Signal) -> None:
        if not self.may_type:
            return
        if isinstance(wish, Resize):
            await self._terminal.resize(Terminal(wish.columns, wish.rows))
            return
        try:
            await self._terminal.runner.signal(self._terminal.run_id, wish.signal)
        except RunRefused as refusal:
            self.outlet.close(1003, refusal.detail[:100])
