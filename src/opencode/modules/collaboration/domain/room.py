"""
The room: one document in memory, the peers that edit it, and the order of their updates.

An update is validated by applying it, gets the next sequence number, goes to the other peers as the same bytes, and
into the journal; its sender is told once it is durable. A peer that reads too slowly gets nothing until it has caught
up, then one difference: it is a cursor (a state vector) into the document, never a queue.
"""

from collections.abc import Callable
from dataclasses import dataclass

from opencode.contracts.collaboration import PeerRole
from opencode.kernel.ids import DocumentId
from opencode.modules.collaboration.domain import codec
from opencode.modules.collaboration.domain.codec import (
    EMPTY_STATE_VECTOR,
    EMPTY_UPDATE,
    AwarenessMessage,
    Malformed,
    QueryAwareness,
    SyncMessage,
    SyncType,
)
from opencode.modules.collaboration.domain.document import Document, is_panic
from opencode.modules.collaboration.domain.peer import Journal, Peer
from opencode.modules.collaboration.domain.presence import KEEP_ALIVE_UPDATE, Presence, parse_announcements
from opencode.modules.collaboration.domain.records import Record, RecordKind
from opencode.modules.collaboration.domain.updates import announces_too_much

NS_PER_MS = 1_000_000
PRESENCE_INTERVAL_S = 0.03
PRESENCE_GRACE_S = 5.0
STALE_SNAPSHOT_BYTES = 32 * 1024
"""A cached snapshot that lacks more than this is made anew; until then a joiner gets it and the difference."""
MAX_STRIKES = 8
"""Messages of a peer that make no sense, before its socket is closed."""
PARKED_CHECK_UPDATES = 16
"""Every so many live updates of a peer the state vector must have moved, or its updates hang on one that is lost."""
MAX_FULL_SYNCS = 30
"""Step 1 messages of one socket at once; each keep-alive sweep allows one more. Each may cost an encoding of the whole
document, and an honest client sends one, or one every few seconds."""
MAX_UPDATES_PER_SWEEP = 8_000
"""Update frames of one socket between two keep-alive sweeps, which are 4 s apart. Every one of them is kept."""

GONE = (4404, "This document no longer exists.")
ANEW = (1012, "The document is loaded anew.")

_EDIT = RecordKind.EDIT  # looking up a member of an enum costs more than all the arithmetic of an edit


@dataclass(slots=True)
class Snapshot:
    """The whole document, encoded once and framed once for everyone who joins at `sequence`."""

    sequence: int
    size_at_most: int
    state_vector: bytes
    frame: bytes


class Room:
    """
    One document. All calls are made by one event loop and none of them waits.

    Args:
        frame: makes a message ready for the wire; done once an update, for all peers.
        later: calls a function after so many seconds.
        now_ns: nanoseconds since 1970, UTC.
        max_bytes: the largest document, encoded.

    Attributes:
        rulings: how often it was said who may enter or write. Leave to enter that was asked for before the last
            ruling has to be asked for again.
        gone: the document is deleted.
        broken: what is in memory cannot be trusted any more; the log can.
    """

    __slots__ = (
        "__weakref__",
        "_hidden_seeds",
        "_journal",
        "_later",
        "_max_bytes",
        "_now_ns",
        "_presence_due",
        "_snapshot",
        "audience",
        "broken",
        "document",
        "document_id",
        "frame",
        "generation",
        "gone",
        "peers",
        "presence",
        "rulings",
        "seeds",
        "sequence",
    )

    def __init__(
        self,
        document_id: DocumentId,
        audience: str,
        generation: str,
        journal: Journal,
        *,
        frame: Callable[[bytes], bytes],
        later: Callable[[float, Callable[[], None]], None],
        now_ns: Callable[[], int],
        max_bytes: int,
    ) -> None:
        self.document_id = document_id
        self.audience = audience
        self.generation = generation
        self.frame = frame
        self.document = Document(max_bytes)
        self.sequence = 0
        self.seeds: set[str] = set()
        self.peers: set[Peer] = set()
        self.presence = Presence()
        self.rulings = 0
        self.gone = False
        self.broken = False
        self._journal = journal
        self._later = later
        self._now_ns = now_ns
        self._max_bytes = max_bytes
        self._hidden_seeds: set[int] = set()
        self._snapshot: Snapshot | None = None
        self._presence_due = False

    # --- filling ---------------------------------------------------------------------------------------------------

    def restore(self, state: bytes | None, sequence: int, seeds: set[str], records: list[Record]) -> None:
        """
        Bring the document back from its snapshot and the updates after it.

        Raises:
            ValueError: an update of the log cannot be read; nothing may be stored on top of that.
        """
        self.seeds = set(seeds)
        if state is not None:
            self.document.apply(state)
        for record in records:
            if record.sequence <= sequence:
                continue
            self.document.apply(record.update)
            if record.kind is RecordKind.SEED:
                self.seeds.add(record.author)
            sequence = record.sequence
        self.sequence = sequence

    def next_record(self, kind: RecordKind, author: str, update: bytes) -> Record:
        """Give an update its place in the order of this document."""
        self.sequence = sequence = self.sequence + 1
        return Record(self.document_id, sequence, self._now_ns() // NS_PER_MS, kind, author, update)

    @property
    def complete_to(self) -> int:
        """The document holds every record up to this one. Seeds on their way into the log hold it back."""
        return min(self._hidden_seeds) - 1 if self._hidden_seeds else self.sequence

    def next_seed(self, name: str, update: bytes) -> Record:
        """Give a seed its place. `take_seed` must follow once it is durable."""
        record = self.next_record(RecordKind.SEED, name, update)
        self._hidden_seeds.add(record.sequence)
        return record

    def take_seed(self, record: Record) -> None:
        """Show a durable seed to everyone. Not earlier: a seed that is seen and then lost would come twice."""
        self.document.apply(record.update)
        self._hidden_seeds.discard(record.sequence)
        self.seeds.add(record.author)
        # It was made when the sequence stood here already, and does not hold the seed.
        self._snapshot = None
        self._relay(None, self.frame(codec.sync_message(SyncType.UPDATE, record.update)))

    # --- people ----------------------------------------------------------------------------------------------------

    def join(self, peer: Peer) -> None:
        """A socket has opened: say hello, and ask what it has that we do not."""
        self.peers.add(peer)
        if self.gone or self.broken:
            peer.outlet.close(*(GONE if self.gone else ANEW))
            return
        if peer.acknowledges:
            role = PeerRole.WRITE if peer.may_write else PeerRole.READ
            peer.write(self.frame(codec.hello(self.generation, role, self.sequence)))
        self._ask_for_edits(peer)

    def leave(self, peer: Peer) -> None:
        """A socket is lost. Its cursor stays for a grace, because most come back."""
        self.peers.discard(peer)
        lost = self.presence.lose(peer)
        if lost:
            self._later(PRESENCE_GRACE_S, lambda: self._expire_presence(lost))

    def set_role(self, peer_id: str, role: PeerRole) -> None:
        """From the next message on, whoever this is may write, or may not."""
        self.rulings += 1
        may_write = role is PeerRole.WRITE
        for peer in self.peers:
            if peer.entry.peer_id == peer_id and peer.may_write is not may_write:
                peer.may_write = may_write
                if peer.acknowledges:
                    peer.write(self.frame(codec.access(role)))
                elif may_write:
                    # What a stock client wrote meanwhile was left lying; what it writes now may build on that.
                    self._ask_for_edits(peer)

    def disconnect(self, code: int, sentence: str, *, peer_id: str | None = None) -> None:
        """Cut one person, or everybody; not one more update of theirs is taken."""
        self.rulings += 1
        for peer in list(self.peers):
            if peer_id is None or peer.entry.peer_id == peer_id:
                peer.may_write = False
                peer.outlet.close(code, sentence)

    # --- messages --------------------------------------------------------------------------------------------------

    def receive(self, peer: Peer, message: bytes) -> None:
        """One message of a peer. Whatever it holds, no other peer and no other room suffers."""
        if (update := codec.parse_short_update(message)) is not None:
            self._edit(peer, update, message)
            return
        try:
            self._dispatch(peer, message)
        except Malformed as error:
            self._strike(peer, f"A message was not understood: {error}.")

    def answer_step_1(self, peer: Peer, state_vector: bytes) -> None:
        """Send what the peer lacks, and from now on what happens."""
        if peer.congested:
            peer.ask_later(state_vector)
            return
        if state_vector == EMPTY_STATE_VECTOR:
            peer.live = True
            self._send_snapshot(peer)
        else:
            try:
                difference = self.document.difference(state_vector)
            except ValueError:
                raise Malformed("the state vector cannot be read") from None
            peer.live = True
            peer.write(self.frame(codec.sync_message(SyncType.STEP_2, difference)))
        if len(self.presence) and not peer.congested:
            peer.write(self.presence_frame())

    def resume(self, peer: Peer, behind: bytes, wanted: bytes | None) -> None:
        """
        A peer has caught up.

        Args:
            behind: the state vector up to which it was sent everything.
            wanted: the state vector of a step 1 that came meanwhile.
        """
        if wanted is not None:
            try:
                self.answer_step_1(peer, wanted)
            except Malformed as error:
                self._strike(peer, f"A message was not understood: {error}.")
            return
        peer.live = True
        difference = self.document.difference(behind)
        if difference != EMPTY_UPDATE:
            peer.write(self.frame(codec.sync_message(SyncType.UPDATE, difference)))
        if not peer.congested:
            peer.write(self.presence_frame())

    def settle(self, peer: Peer, ordinal: int, sequence: int) -> None:
        """All update frames of the peer up to `ordinal` are durable or refused; the log stands at `sequence`."""
        if peer.acknowledges:
            peer.write(self.frame(codec.acknowledgement(ordinal, sequence)))

    def presence_frame(self) -> bytes:
        return self.frame(codec.awareness_message(self.presence.everyone()))

    def keep_alive(self) -> None:
        """Called every few seconds: whoever heard nothing since the last time hears that we are here."""
        for peer in self.peers:
            if peer.idle:
                peer.outlet.write(self.frame(codec.awareness_message(KEEP_ALIVE_UPDATE)))
            peer.idle = True
            peer.full_syncs = max(0, peer.full_syncs - 1)
            if peer.received - peer.received_before > MAX_UPDATES_PER_SWEEP:
                peer.outlet.close(1013, "More edits than anybody can type came over this connection. Connect again.")
            peer.received_before = peer.received
            if peer.congested:
                peer.congested_sweeps += 1

    # --- the inside ------------------------------------------------------------------------------------------------

    def _dispatch(self, peer: Peer, message: bytes) -> None:
        match codec.parse(message):
            case SyncMessage(SyncType.STEP_1, state_vector):
                peer.full_syncs += 1
                if peer.full_syncs > MAX_FULL_SYNCS:
                    peer.outlet.close(1008, "This socket asked for the whole document too often.")
                    return
                if announces_too_much(state_vector):
                    raise Malformed("the state vector announces more than it holds")
                self.answer_step_1(peer, state_vector)
            case SyncMessage(SyncType.STEP_2, update):
                self._take_sync(peer, update)
            case SyncMessage(_, update):
                if announces_too_much(update):
                    peer.received += 1
                    self._refuse_malformed(peer)
                    return
                self._edit(peer, update, message)
            case AwarenessMessage(update):
                self._take_presence(peer, update)
            case QueryAwareness():
                if not peer.congested:  # `resume` tells it
                    peer.write(self.presence_frame())

    def _edit(self, peer: Peer, update: bytes, message: bytes) -> None:
        """A live edit: the hot path. `message` is relayed as it came."""
        peer.received += 1
        if not self._may_take(peer, update):
            return
        try:
            self.document.apply(update)
        except ValueError:
            self._refuse_malformed(peer)
            return
        except BaseException as panic:
            self._break(panic, peer)
            return
        self._relay(peer, self.frame(message))
        self._journal.append(self.next_record(_EDIT, peer.entry.peer_id, update), peer, peer.received)
        if peer.received % PARKED_CHECK_UPDATES == 0:
            self._check_parked(peer, update)

    def _take_sync(self, peer: Peer, update: bytes) -> None:
        """What a peer has and we do not, after a step 1 of ours. Relayed and kept if it holds anything new."""
        peer.received += 1
        if update == EMPTY_UPDATE:
            self._journal.pass_through(peer, peer.received)
            return
        if not peer.may_write and not peer.acknowledges:
            return  # A stock client that may not write sends its deletions again at each handshake.
        if announces_too_much(update):
            self._refuse_malformed(peer)
            return
        if not self._may_take(peer, update):
            return
        try:
            is_news = self.document.apply_news(update)
        except (ValueError, Malformed):
            self._refuse_malformed(peer)
            return
        except BaseException as panic:
            self._break(panic, peer)
            return
        if not is_news:
            self._journal.pass_through(peer, peer.received)
            return
        self._relay(peer, self.frame(codec.sync_message(SyncType.UPDATE, update)))
        self._journal.append(self.next_record(_EDIT, peer.entry.peer_id, update), peer, peer.received)

    def _may_take(self, peer: Peer, update: bytes) -> bool:
        if not peer.may_write:
            self._refuse(peer, "read-only", "You may read this document, not change it.")
            return False
        if self.document.is_full_for(update) and not self._finds_room(update):
            self._refuse(peer, "document-full", f"A document may have {self._max_bytes // 1024} KiB.")
            return False
        return True

    def _finds_room(self, update: bytes) -> bool:
        bound = self.document.size_at_most
        has_room = self.document.has_room(update, self._now_ns() // NS_PER_MS)
        if self.document.size_at_most != bound:
            self._snapshot = None  # how much it lacks was told by the old bound
        if self.document.overgrown:
            self._load_anew()
        return has_room

    def _refuse(self, peer: Peer, reason: str, sentence: str) -> None:
        self._journal.refused(reason)
        if peer.acknowledges:
            peer.write(self.frame(codec.refused(peer.received, reason, sentence)))
            self._journal.pass_through(peer, peer.received)
        else:
            # A stock client knows no refusal and would go on with a text that nobody else has.
            peer.outlet.close(1012, f"{sentence} Connect again to get the shared text.")

    def _refuse_malformed(self, peer: Peer) -> None:
        if peer.acknowledges:
            self._refuse(peer, "malformed", "The update cannot be read. Load the document anew.")
        else:
            self._journal.refused("malformed")
        self._strike(peer, "An update cannot be read.")

    def _strike(self, peer: Peer, sentence: str) -> None:
        peer.strikes += 1
        if peer.strikes >= MAX_STRIKES:
            peer.outlet.close(1008, sentence[:120])

    def _break(self, panic: BaseException, culprit: Peer) -> None:
        """
        The CRDT library itself failed on an update. The document in memory can no longer be trusted; the log can.
        Everyone comes back to a room that is loaded anew, and whoever sent it does not.
        """
        if not is_panic(panic):
            raise panic
        culprit.outlet.close(1008, "An update cannot be read.")
        self._load_anew()

    def _load_anew(self) -> None:
        self.broken = True
        for peer in list(self.peers):
            peer.outlet.close(*ANEW)

    def _ask_for_edits(self, peer: Peer) -> None:
        peer.write(self.frame(codec.sync_message(SyncType.STEP_1, self.document.state_vector())))

    def _check_parked(self, peer: Peer, update: bytes) -> None:
        """An update that builds on one we never got is parked by the CRDT, for ever if that one never comes."""
        state = self.document.state_vector()
        if update[:1] == b"\x00" or state != peer.parked_state:  # deletions move no state vector
            peer.parked_state = state
            return
        self._strike(peer, "Your edits build on one that never arrived.")
        self._ask_for_edits(peer)

    def _relay(self, sender: Peer | None, frame: bytes) -> None:
        for peer in self.peers:
            if peer.live and peer is not sender:
                peer.idle = False
                peer.outlet.write(frame)

    def _send_snapshot(self, peer: Peer) -> None:
        snapshot = self._snapshot
        if snapshot is None or self.document.size_at_most - snapshot.size_at_most > STALE_SNAPSHOT_BYTES:
            frame = self.frame(codec.sync_message(SyncType.STEP_2, self.document.state()))
            snapshot = Snapshot(self.sequence, self.document.size_at_most, self.document.state_vector(), frame)
            self._snapshot = snapshot
        peer.write(snapshot.frame)
        if snapshot.sequence == self.sequence:
            return
        if peer.congested:
            peer.rewind(snapshot.state_vector)
        else:
            difference = self.document.difference(snapshot.state_vector)
            peer.write(self.frame(codec.sync_message(SyncType.UPDATE, difference)))

    def _take_presence(self, peer: Peer, update: bytes) -> None:
        for announcement in parse_announcements(update):
            self.presence.announce(peer, peer.entry.peer_id, peer.user, announcement)
        self._tell_presence()

    def _expire_presence(self, lost: dict[int, int]) -> None:
        self.presence.expire(lost)
        self._tell_presence()

    def _tell_presence(self) -> None:
        if self.presence.has_news and not self._presence_due:
            self._presence_due = True
            self._later(PRESENCE_INTERVAL_S, self._flush_presence)

    def _flush_presence(self) -> None:
        self._presence_due = False
        if self.presence.has_news:
            self._relay(None, self.frame(codec.awareness_message(self.presence.take_news())))
