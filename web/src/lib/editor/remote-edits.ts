import type { Extension } from '@codemirror/state';
import { EditorView, ViewPlugin, type PluginValue } from '@codemirror/view';
import * as Y from 'yjs';
import type { Awareness } from 'y-protocols/awareness';
import { readPeer, readPeers } from '../collaboration/peers.svelte.ts';

export interface RemoteEdit {
  /** Who wrote, or `null` when only deletions came and several people are here. */
  name: string | null;
  fromLine: number;
  toLine: number;
}

/** Says who changed which lines, for those who cannot see it happen. */
export function remoteEdits(text: Y.Text, awareness: Awareness, tell: (edit: RemoteEdit) => void): Extension {
  class RemoteEdits implements PluginValue {
    readonly #observer = (event: Y.YTextEvent, transaction: Y.Transaction) => {
      if (transaction.local) return;
      const { from, to } = touched(event);
      const { doc } = this.view.state;
      const line = (position: number) => doc.lineAt(Math.min(position, doc.length)).number;
      tell({ name: author(transaction, awareness), fromLine: line(from), toLine: line(to) });
    };

    constructor(readonly view: EditorView) {
      text.observe(this.#observer);
    }

    destroy(): void {
      text.unobserve(this.#observer);
    }
  }
  return ViewPlugin.fromClass(RemoteEdits);
}

function touched(event: Y.YTextEvent): { from: number; to: number } {
  let position = 0;
  let from: number | null = null;
  let to = 0;
  for (const part of event.delta) {
    if (part.retain !== undefined) {
      position += part.retain;
      continue;
    }
    from ??= position;
    if (typeof part.insert === 'string') position += part.insert.length;
    to = position;
  }
  return { from: from ?? 0, to: Math.max(from ?? 0, to) };
}

/** Inserts carry their author's client number; a deletion does not. */
function author(transaction: Y.Transaction, awareness: Awareness): string | null {
  for (const [client, clock] of transaction.afterState) {
    if (client === awareness.clientID || transaction.beforeState.get(client) === clock) continue;
    const state = awareness.getStates().get(client);
    const peer = state && readPeer(client, state);
    if (peer) return peer.user.name;
  }
  const names = new Set(readPeers(awareness).map(({ user }) => user.name));
  return names.size === 1 ? ([...names][0] ?? null) : null;
}
