import { expect, it } from 'vitest';
import { reasonWords } from './reasons.ts';

it('tells the factors of a score that make a difference', () => {
  const why = [
    { part: 'text', value: 1 },
    { part: 'popularity', value: 1.9432 },
    { part: 'trust', value: 1 },
    { part: 'name', value: 1_000_000 },
  ];
  expect(reasonWords(why)).toBe('Words 1 × popularity 1.94 × its name 1M');
});
