import { fromBase64, toBase64 } from 'lib0/buffer';

/** Edits that the server has not acknowledged, kept over a reload of the page. */
export interface Draft {
  generation: string;
  update: Uint8Array;
}

/** Storage of one tab; a copy is bound to the document's generation, so that two histories are never merged. */
const MAX_BYTES = 1_000_000;
const key = (documentId: string) => `ocp.draft.${documentId}`;

export function keepDraft(storage: Storage, documentId: string, draft: Draft): void {
  if (draft.update.byteLength > MAX_BYTES) return;
  try {
    storage.setItem(key(documentId), JSON.stringify([draft.generation, toBase64(draft.update)]));
  } catch {
    // A full or forbidden storage: the copy in memory is still there, and the light says "offline".
  }
}

export function loadDraft(storage: Storage, documentId: string): Draft | null {
  const stored = storage.getItem(key(documentId));
  if (stored === null) return null;
  try {
    const [generation, update] = JSON.parse(stored) as [string, string];
    return { generation, update: fromBase64(update) };
  } catch {
    storage.removeItem(key(documentId));
    return null;
  }
}

export function dropDraft(storage: Storage, documentId: string): void {
  storage.removeItem(key(documentId));
}
