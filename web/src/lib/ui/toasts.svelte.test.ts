import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Toasts } from './toasts.svelte.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('news', () => {
  it('goes by itself', () => {
    const toasts = new Toasts();
    toasts.show('Ada joined.');
    vi.advanceTimersByTime(5999);
    expect(toasts.list).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(toasts.list).toHaveLength(0);
  });

  it('stays while a person reads it', () => {
    const toasts = new Toasts();
    toasts.show('Ada left.');
    vi.advanceTimersByTime(5000);
    toasts.hold();
    vi.advanceTimersByTime(60_000);
    expect(toasts.list).toHaveLength(1);
    toasts.release();
    vi.advanceTimersByTime(1000);
    expect(toasts.list).toHaveLength(0);
  });

  it('never covers the page', () => {
    const toasts = new Toasts();
    for (const text of ['one', 'two', 'three', 'four']) toasts.show(text, { durationMs: 0 });
    expect(toasts.list.map(({ text }) => text)).toEqual(['two', 'three', 'four']);
  });

  it('says once that it is gone, whatever ended it', () => {
    const toasts = new Toasts();
    const gone: string[] = [];
    const dismissed = toasts.show('one', { ended: () => gone.push('dismissed') });
    toasts.dismiss(dismissed);
    toasts.dismiss(dismissed);
    toasts.show('two', { ended: () => gone.push('by itself') });
    vi.advanceTimersByTime(6000);
    toasts.show('three', { ended: () => gone.push('pushed out') });
    for (const text of ['four', 'five', 'six']) toasts.show(text);
    expect(gone).toEqual(['dismissed', 'by itself', 'pushed out']);
  });
});
