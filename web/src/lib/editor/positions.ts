import type { SelectionRange } from '@codemirror/state';
import { fromBase64, toBase64 } from 'lib0/buffer';
import * as Y from 'yjs';
import type { PeerCursor } from '../collaboration/peers.svelte.ts';

/** Selections beyond the main one that others are told of. */
const MOST_RANGES = 10;

export interface Span {
  anchor: number;
  head: number;
}

/**
 * The selections of an editor as places in the shared text, which stay right while others type. All but the main one
 * travel packed: a presence state is small and flat on the wire.
 */
export function toCursor(text: Y.Text, ranges: readonly SelectionRange[], main: number): PeerCursor {
  const place = (index: number) => Y.createRelativePositionFromTypeIndex(text, index);
  const { anchor = 0, head = 0 } = ranges[main] ?? {};
  const cursor = {
    anchor: Y.relativePositionToJSON(place(anchor)) as unknown,
    head: Y.relativePositionToJSON(place(head)) as unknown,
  };
  const others = ranges.filter((_, index) => index !== main).slice(0, MOST_RANGES);
  const packed = others.flatMap((range) => [pack(place(range.anchor)), pack(place(range.head))]);
  return packed.length > 0 ? { ...cursor, others: packed } : cursor;
}

const pack = (place: Y.RelativePosition) => toBase64(Y.encodeRelativePosition(place));

/**
 * Where somebody's selections are in `text`: none when they are in another text. Not complete when a place is not
 * known here yet, because their cursor came before the change that it points into.
 */
export function fromCursor(text: Y.Text, cursor: PeerCursor): { spans: Span[]; complete: boolean } {
  const places = [fromJson(cursor.anchor), fromJson(cursor.head), ...unpack(cursor.others)];
  const found = places.map((place) => resolve(text, place));
  const spans: Span[] = [];
  for (let index = 0; index + 1 < found.length; index += 2) {
    const [anchor, head] = [found[index], found[index + 1]];
    if (typeof anchor === 'number' && typeof head === 'number') spans.push({ anchor, head });
  }
  return { spans, complete: !found.includes('unknown') };
}

type Place = Y.RelativePosition | null;

function fromJson(json: unknown): Place {
  return typeof json === 'object' && json !== null ? Y.createRelativePositionFromJSON(json) : null;
}

function unpack(others: unknown): Place[] {
  if (!Array.isArray(others)) return [];
  return others.slice(0, 2 * MOST_RANGES).map((packed: unknown) => {
    try {
      return Y.decodeRelativePosition(fromBase64(String(packed)));
    } catch {
      return null;
    }
  });
}

/** What comes over the wire is of no sure shape, and Yjs throws on places that make no sense. */
function resolve(text: Y.Text, place: Place): number | 'elsewhere' | 'unknown' {
  if (!place || !text.doc) return 'elsewhere';
  try {
    const absolute = Y.createAbsolutePositionFromRelativePosition(place, text.doc);
    if (!absolute) return 'unknown';
    return absolute.type === text ? Math.min(absolute.index, text.length) : 'elsewhere';
  } catch {
    return 'unknown';
  }
}
