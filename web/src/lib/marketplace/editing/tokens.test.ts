import { expect, it } from 'vitest';
import { asTag, suggested, withTokens } from './tokens.ts';

const asIs = (word: string) => word;

it('adds what was typed once, whatever its case', () => {
  expect(withTokens(['Python'], 'python, Go , ,Go', asIs)).toEqual(['Python', 'Go']);
  expect(withTokens([], '#Machine Learning', asTag)).toEqual(['machine-learning']);
});

it('suggests what begins like it before what contains it', () => {
  const known = ['FastAPI', 'API', 'Go', 'Apache'];
  expect(suggested(known, ['apache'], 'ap', 5)).toEqual(['API', 'FastAPI']);
  expect(suggested(known, [], '', 2)).toEqual(['FastAPI', 'API']);
});
