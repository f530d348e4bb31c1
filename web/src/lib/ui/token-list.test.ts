import { expect, it } from 'vitest';
import { suggested, withTokens } from './token-list.ts';

const asIs = (word: string) => word;

it('adds what was typed once, whatever its case', () => {
  expect(withTokens(['Python'], 'python, Go , ,Go', asIs)).toEqual(['Python', 'Go']);
  expect(withTokens([], '#a, B', (word) => word.replace('#', ''))).toEqual(['a', 'B']);
});

it('suggests what begins like it before what contains it', () => {
  const known = ['FastAPI', 'API', 'Go', 'Apache'];
  expect(suggested(known, ['apache'], 'ap', 5)).toEqual(['API', 'FastAPI']);
  expect(suggested(known, [], '', 2)).toEqual(['FastAPI', 'API']);
});
