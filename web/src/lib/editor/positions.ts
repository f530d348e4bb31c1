import type { SelectionRange } from '@codemirror/state';
import * as Y from 'yjs';
import type { PeerCursor } from '../collaboration/peers.svelte.ts';

export interface Span {
  anchor: number;
  head: number;
}

/** The selections of an editor as places in the shared text, which stay right while others type. */
export function toCursor(text: Y.Text, ranges: readonly SelectionRange[], main: number, name: string): PeerCursor {
  const places = ranges.map(({ anchor, head }) => ({ anchor: place(text, anchor), head: place(text, head) }));
  const [first = { anchor: null, head: null }] = places.splice(main, 1);
  return { ...first, ranges: [first, ...places], text: name };
}

const place = (text: Y.Text, index: number) =>
  Y.relativePositionToJSON(Y.createRelativePositionFromTypeIndex(text, index));

/**
 * Where somebody's selections are in `text`: `null` when they are in another text, and a shorter list when a place
 * is not known here yet, because their cursor came before the change that it points into.
 */
export function fromCursor(text: Y.Text, cursor: PeerCursor): { spans: Span[]; complete: boolean } {
  const ranges = Array.isArray(cursor.ranges) && cursor.ranges.length > 0 ? cursor.ranges.slice(0, 20) : [cursor];
  const found = ranges.map(({ anchor, head }) => ({ anchor: resolve(text, anchor), head: resolve(text, head) }));
  const spans = found.filter((span): span is Span => typeof span.anchor === 'number' && typeof span.head === 'number');
  return { spans, complete: found.every(({ anchor, head }) => anchor !== 'unknown' && head !== 'unknown') };
}

/** What comes over the wire is of no sure shape, and Yjs throws on a place of a client that it has not seen. */
function resolve(text: Y.Text, json: unknown): number | 'elsewhere' | 'unknown' {
  if (typeof json !== 'object' || json === null || !text.doc) return 'elsewhere';
  try {
    const absolute = Y.createAbsolutePositionFromRelativePosition(Y.createRelativePositionFromJSON(json), text.doc);
    if (!absolute) return 'unknown';
    return absolute.type === text ? Math.min(absolute.index, text.length) : 'elsewhere';
  } catch {
    return 'unknown';
  }
}
