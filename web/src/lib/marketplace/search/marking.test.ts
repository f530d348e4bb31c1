import { describe, expect, it } from 'vitest';
import { marked } from './marking.ts';

const shown = (text: string, query: string) =>
  marked(text, query)
    .map(({ text: piece, marked: isMarked }) => (isMarked ? `[${piece}]` : piece))
    .join('');

describe('what was searched for', () => {
  it.each([
    ['FastAPI for everybody', 'fast api', '[FastAPI] for everybody'],
    ['fast-api', 'FastAPI', 'fast-api'],
    ['A fast HTTP client', 'http cl', 'A fast [HTTP] [cl]ient'],
    ['Crème brûlée', 'creme', '[Crème] brûlée'],
    ['Nothing here', 'zebra', 'Nothing here'],
    ['Parsing', 'p', '[P]arsing'],
    ['<b>bold</b>', 'b', '<[b]>[b]old</[b]>'],
    ['as it is', '', 'as it is'],
  ])('is marked in %j for %j', (text, query, expected) => expect(shown(text, query)).toBe(expected));
});
