export interface Piece {
  text: string;
  marked: boolean;
}

const ACCENTS = /\p{M}/gu;
const LETTERS = /[\p{L}\p{N}]+/gu;

/** Cuts a text where words of the search begin in it: as the server, without regard to case, accents and joins. */
export function marked(text: string, query: string): Piece[] {
  const words = wordsOf(query);
  if (words.length === 0) return [{ text, marked: false }];
  const pieces: Piece[] = [];
  let done = 0;
  for (const match of text.matchAll(LETTERS)) {
    const length = longest(match[0], words);
    if (length === 0) continue;
    if (match.index > done) pieces.push({ text: text.slice(done, match.index), marked: false });
    pieces.push({ text: text.slice(match.index, match.index + length), marked: true });
    done = match.index + length;
  }
  return done < text.length ? [...pieces, { text: text.slice(done), marked: false }] : pieces;
}

/** Each word typed, and neighbours as one: who types "fast api" finds "FastAPI". */
function wordsOf(query: string): string[] {
  const words = [...query.matchAll(LETTERS)].map(([word]) => folded(word));
  const joined = words.slice(1).map((word, index) => words[index] + word);
  return [...words, ...joined].filter((word) => word.length > 1 || words.length === 1);
}

/** How many letters of this word are marked: as many as the longest of those typed that it begins with. */
function longest(word: string, typed: readonly string[]): number {
  const plain = folded(word);
  const most = Math.max(0, ...typed.filter((each) => plain.startsWith(each)).map((each) => each.length));
  // Where folding changed the length, letters cannot be counted off: the whole word is marked.
  return most === 0 || plain.length === word.length ? most : word.length;
}

const folded = (text: string) => text.normalize('NFD').replace(ACCENTS, '').toLowerCase();
