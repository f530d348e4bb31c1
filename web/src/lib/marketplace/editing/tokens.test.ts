import { expect, it } from 'vitest';
import { asTag } from './tokens.ts';

it('keeps tags as words in lower case', () => {
  expect(['#Machine Learning', 'cli'].map(asTag)).toEqual(['machine-learning', 'cli']);
});
