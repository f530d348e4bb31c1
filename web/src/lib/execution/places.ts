import type { Span } from './ansi.ts';

/** A place in the code that a program's output names. */
export interface Place {
  start: number;
  end: number;
  line: number;
  column: number;
}

export interface Piece extends Span {
  place: Place | null;
}

const PYTHON = /File "([^"]+)", line (\d+)/g;
const USUAL = /([\w./\\<>-]+\.\w{1,5}):(\d+)(?::(\d+))?/g;

/** Places in the file that is being edited; those in libraries cannot be jumped to and stay plain text. */
export function findPlaces(text: string, fileName: string): Place[] {
  const places: Place[] = [];
  for (const pattern of [PYTHON, USUAL]) {
    for (const match of text.matchAll(pattern)) {
      const [found, file = '', line, column] = match;
      if (file.split(/[\\/]/).at(-1) !== fileName) continue;
      places.push({ start: match.index, end: match.index + found.length, line: Number(line), column: Number(column ?? 1) });
    }
  }
  return places.sort((a, b) => a.start - b.start);
}

/** The spans of a line, cut so that each place is a piece of its own. */
export function withPlaces(spans: readonly Span[], fileName: string): Piece[] {
  const places = findPlaces(spans.map(({ text }) => text).join(''), fileName);
  if (places.length === 0) return spans.map((span) => ({ ...span, place: null }));
  const pieces: Piece[] = [];
  let at = 0;
  for (const { text, look } of spans) {
    const end = at + text.length;
    const cuts = places.flatMap((place) => [place.start, place.end]).filter((cut) => cut > at && cut < end);
    let from = at;
    for (const to of [...cuts, end]) {
      const place = places.find(({ start, end: stop }) => start <= from && from < stop) ?? null;
      if (to > from) pieces.push({ text: text.slice(from - at, to - at), look, place });
      from = to;
    }
    at = end;
  }
  return pieces;
}
