import { createSubscriber } from 'svelte/reactivity';
import type { Awareness } from 'y-protocols/awareness';

/** Who a remote cursor belongs to, as the server says it. */
export interface PeerUser {
  id: string;
  name: string;
  role: 'interviewer' | 'candidate';
  colour: number;
}

/** Where somebody is. The main selection has the form that other editors of the protocol read: places of Yjs as JSON. */
export interface PeerCursor {
  anchor: unknown;
  head: unknown;
  /** Further selections, packed: anchor, head, anchor, head and so on. */
  others?: unknown;
}

export interface Peer {
  client: number;
  user: PeerUser;
  cursor: PeerCursor | null;
}

const COLOURS = 8;

/** Everyone else in the document, as a value that templates can read. */
export class Peers {
  readonly #awareness: Awareness;
  readonly #subscribe: () => void;

  constructor(awareness: Awareness) {
    this.#awareness = awareness;
    this.#subscribe = createSubscriber((update) => {
      awareness.on('change', update);
      return () => awareness.off('change', update);
    });
  }

  get all(): Peer[] {
    this.#subscribe();
    return readPeers(this.#awareness);
  }

  of(userId: string): Peer | undefined {
    return this.all.find((peer) => peer.user.id === userId);
  }
}

export function readPeers(awareness: Awareness): Peer[] {
  const peers: Peer[] = [];
  for (const [client, state] of awareness.getStates()) {
    if (client === awareness.clientID) continue;
    const peer = readPeer(client, state);
    if (peer) peers.push(peer);
  }
  return peers;
}

/** A state without a name in it is of somebody whom the server has not placed yet. */
export function readPeer(client: number, state: Record<string, unknown>): Peer | null {
  const user = state.user as Partial<PeerUser> | undefined;
  if (typeof user?.name !== 'string' || typeof user.id !== 'string') return null;
  const colour = Number.isInteger(user.colour) ? Math.abs(user.colour as number) % COLOURS : 0;
  const role = user.role === 'interviewer' ? 'interviewer' : 'candidate';
  const cursor = (state.cursor as PeerCursor | null | undefined) ?? null;
  return { client, user: { id: user.id, name: user.name, role, colour }, cursor };
}
