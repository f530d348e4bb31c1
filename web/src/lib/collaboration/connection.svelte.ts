import { applyAwarenessUpdate, encodeAwarenessUpdate, removeAwarenessStates } from 'y-protocols/awareness';
import * as Y from 'yjs';
import { backoffMs } from './backoff.ts';
import { readCloseCode, readTicketStatus, type Closing, type StopReason } from './closing.ts';
import {
  decode,
  encodeAwareness,
  encodeStep1,
  encodeStep2,
  encodeUpdate,
  MAX_FRAME_BYTES,
  type Role,
  type ServerMessage
} from './codec.ts';
import { dropDraft, keepDraft, loadDraft, type Draft } from './drafts.ts';
import { readTexts, readUpdate, withoutShared, type Recovery, type RecoveryReason } from './recovery.ts';
import { Replica } from './replica.ts';
import { Settlement } from './settlement.svelte.ts';

/** The server sends data at least every 10 s (docs/protocol.md); three missed ones and the line is dead. */
const SILENCE_MS = 30_000;
const CONNECTING_MS = 10_000;
const WATCH_EVERY_MS = 5_000;
/** A connection that lived this long was a good one: the next loss starts with the shortest wait. */
const STABLE_AFTER_MS = 5_000;
const OPEN = 1;
const DRAFT_AFTER_MS = 500;
const REPLACED = 'The document was replaced on the server.';
const TOO_LARGE = 'The change was larger than the server takes at once. Paste it in smaller parts.';

export type Phase = 'connecting' | 'live' | 'waiting' | 'stopped';
export type Light = 'saved' | 'saving' | 'offline';

export interface ConnectionOptions {
  documentId: string;
  /** Without the ticket, which travels as a subprotocol. */
  url: string;
  /** A fresh ticket; rejects with an error that has `status` when the server refused. */
  ticket: () => Promise<string>;
  /** Where unsaved edits outlive a reload of the tab. */
  storage?: Storage | null;
  Socket?: typeof WebSocket;
  random?: () => number;
}

/**
 * One person's line to one shared document: fetches a ticket, opens a socket, syncs, and comes back after a loss.
 *
 * `replica` is what the editor shows. It appears after the first sync and is replaced, never emptied, when the local
 * copy may not be merged: another generation of the document, or a change that the server refused. What the person had
 * written is then in `recoveries`.
 */
export class Connection {
  replica = $state.raw<Replica | null>(null);
  phase = $state<Phase>('connecting');
  role = $state<Role>('read');
  stopped = $state<StopReason | null>(null);
  recoveries = $state.raw<Recovery[]>([]);
  /** When the next attempt starts, for "Trying again in 3 s". */
  retryAt = $state<number | null>(null);
  readonly settlement = new Settlement();

  #renewing = $state(false);
  readonly canWrite = $derived(
    this.role === 'write' && !this.#renewing && this.phase !== 'stopped' && this.replica !== null,
  );
  readonly light: Light = $derived(
    this.phase !== 'live' ? 'offline' : this.settlement.unsaved ? 'saving' : 'saved'
  );

  readonly #options: ConnectionOptions;
  #working!: Replica;
  #detach = () => {};
  #generation: string | null = null;
  #draft: Draft | null = null;
  #aside: Omit<Recovery, 'id'>[] = [];
  #nextRecovery = 1;
  #held: Uint8Array[] | null = null;
  #socket: WebSocket | null = null;
  #greeted = false;
  #uploaded = false;
  #attempt = 0;
  /** Grows with every attempt and on close: an answer that belongs to an older one is dropped. */
  #epoch = 0;
  #heardAt = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #stable: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;
  #keep: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** Connect and stay connected. */
  open(): void {
    if (this.#watch !== undefined) return;
    this.#work(new Replica());
    this.#draft = this.#options.storage ? loadDraft(this.#options.storage, this.#options.documentId) : null;
    this.#watch = setInterval(() => this.#listen(), WATCH_EVERY_MS);
    globalThis.addEventListener?.('online', this.#comeBack);
    globalThis.addEventListener?.('offline', this.#lose);
    globalThis.addEventListener?.('pagehide', this.#keepNow);
    void this.#connect();
  }

  /** Leave for good. Edits that are not acknowledged stay in the tab's storage. */
  close(): void {
    if (this.#watch === undefined) return;
    this.#keepNow();
    globalThis.removeEventListener?.('online', this.#comeBack);
    globalThis.removeEventListener?.('offline', this.#lose);
    globalThis.removeEventListener?.('pagehide', this.#keepNow);
    clearInterval(this.#watch);
    this.#watch = undefined;
    this.#hangUp();
    clearTimeout(this.#keep);
    this.settlement.clear();
    this.#detach();
    if (this.replica !== this.#working) this.replica?.destroy();
    this.#working.destroy();
    this.replica = null;
  }

  get hasUnsent(): boolean {
    return this.phase === 'stopped' && this.settlement.unsaved;
  }

  /** What never reached the server, when there is no coming back to send it. */
  unsentTexts(): Record<string, string> {
    return this.hasUnsent ? readTexts(this.#working.doc) : {};
  }

  dismissRecovery(id: number): void {
    this.recoveries = this.recoveries.filter((recovery) => recovery.id !== id);
  }

  /** While an input method composes, what others write waits: else the composed line shifts under the caret. */
  hold(active: boolean): void {
    if (active) {
      this.#held ??= [];
      return;
    }
    const held = this.#held ?? [];
    this.#held = null;
    if (held.length > 0) Y.applyUpdate(this.#working.doc, Y.mergeUpdates(held), this);
  }

  /** Do not wait for the next attempt. */
  readonly retryNow = (): void => {
    if (this.phase !== 'waiting') return;
    clearTimeout(this.#retry);
    void this.#connect();
  };

  readonly #comeBack = (): void => {
    this.#attempt = 0;
    this.retryNow();
  };

  readonly #lose = (): void => {
    if (this.#socket) this.#end({ kind: 'retry' });
  };

  // The way up: ticket, socket, hello, sync.

  async #connect(): Promise<void> {
    const epoch = ++this.#epoch;
    this.retryAt = null;
    this.phase = 'connecting';
    this.#heardAt = Date.now();
    let ticket: string;
    try {
      ticket = await this.#options.ticket();
    } catch (error) {
      if (epoch === this.#epoch) this.#end(readTicketStatus((error as { status?: number }).status));
      return;
    }
    if (epoch === this.#epoch) this.#dial(ticket);
  }

  #dial(ticket: string): void {
    const Socket = this.#options.Socket ?? WebSocket;
    const socket = new Socket(this.#options.url, ['ocp.v1', `ocp.ticket.${ticket}`]);
    socket.binaryType = 'arraybuffer';
    socket.onmessage = (event: MessageEvent) => {
      if (socket === this.#socket) this.#hear(event.data);
    };
    socket.onclose = (event: CloseEvent) => {
      if (socket === this.#socket) this.#end(readCloseCode(event.code));
    };
    this.#socket = socket;
  }

  #hear(data: unknown): void {
    this.#heardAt = Date.now();
    if (!(data instanceof ArrayBuffer)) return;
    try {
      const message = decode(new Uint8Array(data));
      if (message) this.#take(message);
    } catch (error) {
      // A frame that cannot be read or merged: what follows could depend on it, so start with a fresh handshake.
      console.error('The document connection starts anew after a frame that could not be read.', error);
      this.#end({ kind: 'retry' });
    }
  }

  #take(message: ServerMessage): void {
    if (message.type === 'hello') return this.#greet(message.generation, message.role);
    if (!this.#greeted) return;
    const { doc, awareness } = this.#working;
    switch (message.type) {
      case 'step-1':
        return this.#upload(message.stateVector);
      case 'step-2':
        Y.applyUpdate(doc, message.update, this);
        return this.#synced();
      case 'update':
        if (this.#held) this.#held.push(message.update);
        else Y.applyUpdate(doc, message.update, this);
        return;
      case 'awareness':
        return applyAwarenessUpdate(awareness, message.update, this);
      case 'query-awareness':
        return this.#announce();
      case 'acknowledged':
        this.settlement.settle(message.settled);
        return this.#settled();
      case 'refused':
        return this.#refused(message.reason, message.sentence);
      case 'access':
        this.role = message.role;
    }
  }

  #greet(generation: string, role: Role): void {
    this.#restoreDraft(generation, role);
    if (this.#generation !== null && this.#generation !== generation) {
      this.#setAside('other-generation', REPLACED);
    } else if (role === 'read' && this.settlement.unsaved) {
      this.#setAside('read-only', 'The editor was closed for writing before this reached the server.');
    }
    this.#generation = generation;
    this.role = role;
    this.#greeted = true;
    this.#send(encodeStep1(Y.encodeStateVector(this.#working.doc)));
    this.#renewPresence();
  }

  #restoreDraft(generation: string, role: Role): void {
    const draft = this.#draft;
    this.#draft = null;
    if (!draft) return;
    if (draft.generation === generation && role === 'write') {
      Y.applyUpdate(this.#working.doc, draft.update, 'draft');
      return;
    }
    const reason: RecoveryReason = role === 'read' ? 'read-only' : 'other-generation';
    this.#aside.push({
      reason,
      sentence: 'This was written before the page was loaded again, and did not reach the server.',
      texts: readUpdate(draft.update),
      at: Date.now()
    });
  }

  #upload(stateVector: Uint8Array): void {
    const frame = encodeStep2(Y.encodeStateAsUpdate(this.#working.doc, stateVector));
    if (frame.byteLength > MAX_FRAME_BYTES) return this.#refused('too-large', TOO_LARGE);
    this.#uploaded = true;
    this.settlement.uploaded();
    this.#send(frame);
  }

  #synced(): void {
    const before = this.replica;
    this.#renewing = false;
    this.replica = this.#working;
    if (before !== null && before !== this.#working) before.destroy();
    this.phase = 'live';
    this.#showRecoveries();
    clearTimeout(this.#stable);
    this.#stable = setTimeout(() => (this.#attempt = 0), STABLE_AFTER_MS);
  }

  // Local edits and presence.

  #work(replica: Replica): void {
    this.#working = replica;
    const edited = (update: Uint8Array, origin: unknown) => this.#edited(update, origin);
    const moved = (changes: { added: number[]; updated: number[]; removed: number[] }, origin: unknown) => {
      if (origin === this || origin === 'timeout') return;
      const own = replica.doc.clientID;
      if ([changes.added, changes.updated, changes.removed].some((ids) => ids.includes(own))) this.#announce();
    };
    replica.doc.on('update', edited);
    replica.awareness.on('update', moved);
    this.#detach = () => {
      replica.doc.off('update', edited);
      replica.awareness.off('update', moved);
    };
  }

  #edited(update: Uint8Array, origin: unknown): void {
    if (origin === this) return;
    if (!this.#uploaded) {
      this.settlement.hold();
      this.#keepSoon();
      return;
    }
    const frame = encodeUpdate(update);
    if (frame.byteLength > MAX_FRAME_BYTES) return this.#refused('too-large', TOO_LARGE);
    this.settlement.sent();
    this.#send(frame);
    this.#keepSoon();
  }

  #announce(): void {
    const { doc, awareness } = this.#working;
    if (!this.#greeted || !awareness.meta.has(doc.clientID)) return;
    this.#send(encodeAwareness(encodeAwarenessUpdate(awareness, [doc.clientID])));
  }

  /** Peers who saw us leave ignore the same clock, so the state is told again under a new one. */
  #renewPresence(): void {
    const { awareness } = this.#working;
    awareness.setLocalState(awareness.getLocalState() ?? {});
  }

  #send(frame: Uint8Array<ArrayBuffer>): void {
    if (this.#socket?.readyState === OPEN) this.#socket.send(frame);
  }

  // What may not be merged.

  /** From here on our copy says what the shared one does not; only a fresh copy and handshake mend that. */
  #refused(reason: string, sentence: string): void {
    this.#setAside(reason === 'read-only' ? 'read-only' : 'refused', sentence);
    this.#end({ kind: 'retry' });
  }

  /** Keep what was written as plain text and start with an empty copy; the old one is shown until the new is here. */
  #setAside(reason: RecoveryReason, sentence: string): void {
    this.#aside.push({ reason, sentence, texts: readTexts(this.#working.doc), at: Date.now() });
    this.#detach();
    if (this.#working !== this.replica) this.#working.destroy();
    this.#renewing = this.replica !== null;
    this.#generation = null;
    this.settlement.clear();
    this.#dropDraft();
    this.#work(new Replica());
  }

  #showRecoveries(): void {
    const { doc } = this.#working;
    for (const aside of this.#aside.splice(0)) {
      const texts = withoutShared(aside.texts, doc);
      if (Object.keys(texts).length === 0) continue;
      this.recoveries = [...this.recoveries, { ...aside, texts, id: this.#nextRecovery++ }];
    }
  }

  // The way down.

  #end(closing: Closing): void {
    this.#hangUp();
    if (closing.kind === 'stop') {
      this.stopped = closing.reason;
      this.phase = 'stopped';
      return;
    }
    if (closing.kind === 'renew') this.#setAside('other-generation', REPLACED);
    const wait = backoffMs(this.#attempt++, this.#options.random);
    this.phase = 'waiting';
    this.retryAt = Date.now() + wait;
    this.#retry = setTimeout(() => void this.#connect(), wait);
  }

  #hangUp(): void {
    this.#epoch += 1;
    clearTimeout(this.#retry);
    clearTimeout(this.#stable);
    const socket = this.#socket;
    this.#socket = null;
    this.#greeted = this.#uploaded = false;
    if (socket) {
      socket.onmessage = socket.onclose = null;
      socket.close();
    }
    this.settlement.lost();
    // What was held back comes again with the next handshake.
    if (this.#held) this.#held = [];
    this.#forgetPeers();
  }

  #forgetPeers(): void {
    const { awareness, doc } = this.#working;
    const others = [...awareness.getStates().keys()].filter((client) => client !== doc.clientID);
    removeAwarenessStates(awareness, others, this);
  }

  #listen(): void {
    const patience = this.phase === 'live' ? SILENCE_MS : CONNECTING_MS;
    const trying = this.phase === 'live' || this.phase === 'connecting';
    if (trying && Date.now() - this.#heardAt > patience) this.#end({ kind: 'retry' });
  }

  // Unsaved edits over a reload.

  #settled(): void {
    if (this.settlement.unsaved) return;
    clearTimeout(this.#keep);
    this.#keep = undefined;
    this.#dropDraft();
  }

  #keepSoon(): void {
    this.#keep ??= setTimeout(this.#keepNow, DRAFT_AFTER_MS);
  }

  readonly #keepNow = (): void => {
    clearTimeout(this.#keep);
    this.#keep = undefined;
    const { storage, documentId } = this.#options;
    if (!storage || !this.settlement.unsaved || this.#generation === null) return;
    keepDraft(storage, documentId, {
      generation: this.#generation,
      update: Y.encodeStateAsUpdate(this.#working.doc)
    });
  };

  #dropDraft(): void {
    if (this.#options.storage) dropDraft(this.#options.storage, this.#options.documentId);
  }
}
