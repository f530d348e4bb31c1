import { describe, expect, it } from 'vitest';
import { ago, fine, length } from './when.ts';

describe('times in words', () => {
  const now = new Date('2026-03-14T12:00:00Z');

  it.each([
    ['2026-03-14T11:59:40Z', 'just now'],
    ['2026-03-14T12:00:05Z', 'just now'],
    ['2026-03-14T11:57:00Z', '3 minutes ago'],
    ['2026-03-14T07:00:00Z', '5 hours ago'],
    ['2026-03-13T10:00:00Z', 'yesterday'],
    ['2026-03-01T12:00:00Z', '1 Mar'],
    ['2024-03-01T12:00:00Z', '1 Mar 2024'],
  ])('%s is %s', (time, words) => {
    expect(ago(time, now)).toBe(words);
  });

  it('says lengths as people do', () => {
    expect([0, 47, 60, 80].map((minutes) => length(minutes * 60_000))).toEqual(['under 1 min', '47 min', '1 h', '1 h 20 min']);
    expect([42.4, 999, 1240].map(fine)).toEqual(['42 ms', '999 ms', '1.2 s']);
  });
});
