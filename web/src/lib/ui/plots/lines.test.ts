import { expect, it } from 'vitest';
import { nearest, pointsOf } from './lines.ts';

it('a line begins at the left, ends at the right, and has its most at the top', () => {
  expect(pointsOf([0, 4, 2], 80, 28)).toBe('0,28 40,0 80,14');
  expect(pointsOf([0, 0], 80, 28)).toBe('0,28 80,28');
  expect([nearest(-1, 30), nearest(0.5, 31), nearest(2, 30)]).toEqual([0, 15, 29]);
});
