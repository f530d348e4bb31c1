import { describe, expect, it } from 'vitest';
import { heightOf, rowsInView } from './rows.ts';

describe('the window of a long list', () => {
  it('covers the viewport and some rows beyond', () => {
    expect(rowsInView(200, 800, 80, 1000, 4)).toEqual({ first: 0, end: 12 });
    expect(rowsInView(-800, 800, 80, 1000, 4)).toEqual({ first: 6, end: 24 });
    expect(rowsInView(-30, 800, 80, 1000, 0)).toEqual({ first: 0, end: 11 });
  });

  it('has as many rows in the middle of a million as at the beginning', () => {
    const { first, end } = rowsInView(-80 * 500_000, 800, 80, 1_000_000, 4);
    expect(end - first).toBe(18);
  });

  it('never leaves the list', () => {
    expect(rowsInView(-1_000_000, 800, 80, 10, 4)).toEqual({ first: 10, end: 10 });
    expect(rowsInView(5000, 800, 80, 10, 4)).toEqual({ first: 0, end: 0 });
    expect(rowsInView(0, 800, 80, 0, 4)).toEqual({ first: 0, end: 0 });
  });

  it('is as high as its rows, and never higher than browsers can draw', () => {
    expect(heightOf(20, 84)).toBe(1680);
    expect(heightOf(1_000_000, 84)).toBeLessThanOrEqual(16_000_000);
    expect(heightOf(1_000_000, 84) % 84).toBe(0);
  });
});
