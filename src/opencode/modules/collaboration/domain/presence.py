"""
Presence: where everyone's cursor is. The last state wins, nothing queues.

The blob is y-protocols awareness: a count, then for each client its id, a clock and a JSON string. The server takes
from a socket only the client ids that it introduced, keeps of a state only what draws a cursor, and says itself who
the person is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from opencode.modules.collaboration.domain.codec import (
    Malformed,
    read_bytes,
    read_var_uint,
    write_bytes,
    write_var_uint,
)

MAX_STATE_BYTES = 4 * 1024
MAX_DEPTH = 8
"""A cursor with several ranges, each with positions relative to other text, is six deep."""
MAX_CLIENTS_PER_PEER = 4
"""A page has one; a page that rebuilt its document has another for a moment."""
NOBODY = b"null"
KEEP_ALIVE_UPDATE = write_var_uint(0)
"""An awareness update that says nothing: a data frame for clients that count the seconds since the last one."""

_KEPT_FIELDS = ("cursor",)


@dataclass(slots=True)
class ClientPresence:
    """
    The last state of one client. `state` is JSON, or `null` once it has left.

    Attributes:
        owner: the peer that speaks for it, or None while its socket is lost and may come back.
        person_id: only the same person may take it over.
        losses: how often its socket was lost; a grace ends only the loss that began it.
    """

    client_id: int
    clock: int
    state: bytes
    owner: object | None
    person_id: str
    losses: int = 0


@dataclass(frozen=True, slots=True)
class Announcement:
    """One entry of an awareness update as a client sent it."""

    client_id: int
    clock: int
    state: Any | None


def parse_announcements(update: bytes) -> list[Announcement]:
    """
    Read an awareness update. States that are larger or deeper than we keep are left out: somebody with fifty cursors
    is shown where they were before, and does not lose the connection over it.

    Raises:
        Malformed: cut short, or a state that is not a JSON object or null.
    """
    count, at = read_var_uint(update, 0)
    if count > len(update):
        raise Malformed(f"{count} awareness states were announced in {len(update)} bytes")
    announcements: list[Announcement] = []
    for _ in range(count):
        client_id, at = read_var_uint(update, at)
        clock, at = read_var_uint(update, at)
        raw, at = read_bytes(update, at)
        if len(raw) <= MAX_STATE_BYTES:
            state = _parse_state(raw)
            if not _is_deeper(state, MAX_DEPTH):
                announcements.append(Announcement(client_id, clock, state))
    if at != len(update):
        raise Malformed(f"{len(update) - at} bytes are left over behind the awareness states")
    return announcements


def encode_presence(clients: Iterable[ClientPresence]) -> bytes:
    """An awareness update that tells the states of these clients."""
    entries = [
        write_var_uint(client.client_id) + write_var_uint(client.clock) + write_bytes(client.state)
        for client in clients
    ]
    return write_var_uint(len(entries)) + b"".join(entries)


class Presence:
    """The clients of one room, and which of them have news since the last `take_news`."""

    def __init__(self) -> None:
        self._clients: dict[int, ClientPresence] = {}
        self._news: dict[int, ClientPresence] = {}

    def __len__(self) -> int:
        return len(self._clients)

    @property
    def has_news(self) -> bool:
        return bool(self._news)

    def announce(self, owner: object, person_id: str, user: dict[str, Any], entry: Announcement) -> bool:
        """
        Take one client's state. Returns whether it was taken: not from a socket that does not own the client, not an
        old clock, not from a socket that owns too many.
        """
        known = self._clients.get(entry.client_id)
        if known is None:
            if entry.state is None or self._owned_by(owner) >= MAX_CLIENTS_PER_PEER:
                return False
            known = ClientPresence(entry.client_id, -1, NOBODY, owner, person_id)
        elif known.owner is None and known.person_id == person_id:
            known.owner = owner
        elif known.owner is not owner:
            return False
        if not self._is_newer(known, entry):
            return False
        known.clock = entry.clock
        known.state = NOBODY if entry.state is None else _shown_state(entry.state, user)
        self._news[known.client_id] = known
        if entry.state is None:
            self._clients.pop(known.client_id, None)
        else:
            self._clients[known.client_id] = known
        return True

    def lose(self, owner: object) -> dict[int, int]:
        """The owner's socket is lost. Its clients stay for a grace; returns who was lost, for `expire`."""
        lost = [client for client in self._clients.values() if client.owner is owner]
        for client in lost:
            client.owner = None
            client.losses += 1
        return {client.client_id: client.losses for client in lost}

    def expire(self, lost: dict[int, int]) -> None:
        """The grace is over: whoever has not come back since then has left."""
        for client_id, losses in lost.items():
            client = self._clients.get(client_id)
            if client and client.owner is None and client.losses == losses:
                # Equal clock and a null state is how y-protocols says that a client left.
                client.state = NOBODY
                self._news[client_id] = self._clients.pop(client_id)

    def take_news(self) -> bytes:
        """What has changed since the last call, as an awareness update."""
        news, self._news = self._news, {}
        return encode_presence(news.values())

    def everyone(self) -> bytes:
        """All states, for somebody who has just come."""
        return encode_presence(self._clients.values())

    def _owned_by(self, owner: object) -> int:
        return sum(client.owner is owner for client in self._clients.values())

    def _is_newer(self, known: ClientPresence, entry: Announcement) -> bool:
        return entry.clock > known.clock or (entry.clock == known.clock and entry.state is None)


def _parse_state(raw: bytes) -> Any | None:
    try:
        state = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise Malformed("an awareness state is not JSON") from None
    if state is not None and not isinstance(state, dict):
        raise Malformed("an awareness state is neither an object nor null")
    return state


def _is_deeper(value: Any, depth: int) -> bool:
    """Whether containers are nested more than `depth` deep; looks no deeper than that."""
    if not isinstance(value, dict | list):
        return False
    items = value.values() if isinstance(value, dict) else value
    return depth == 0 or any(_is_deeper(item, depth - 1) for item in items)


def _shown_state(state: dict[str, Any], user: dict[str, Any]) -> bytes:
    shown = {name: state[name] for name in _KEPT_FIELDS if name in state}
    return msgspec.json.encode({**shown, "user": user})
