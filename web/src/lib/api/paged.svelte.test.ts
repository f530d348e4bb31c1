import { describe, expect, it } from 'vitest';
import { ApiProblem } from './problem.ts';
import { Paged } from './paged.svelte.ts';

const item = (n: number) => ({ id: String(n) });

/** Three pages of two. */
function pages(failOn?: string) {
  const asked: (string | null)[] = [];
  const paged = new Paged(async (cursor) => {
    asked.push(cursor);
    if (cursor === failOn) throw new ApiProblem({ status: 503, title: 'Busy.' });
    const from = Number(cursor ?? 0);
    return { items: [item(from), item(from + 1)], next_cursor: from < 4 ? String(from + 2) : null };
  });
  return { paged, asked };
}

describe('a paged list', () => {
  it('grows page by page and knows when it is whole', async () => {
    const { paged, asked } = pages();
    await paged.reload();
    expect([paged.items.length, paged.hasMore]).toEqual([2, true]);
    await paged.more();
    await paged.more();
    await paged.more();
    expect([paged.items.length, paged.hasMore]).toEqual([6, false]);
    expect(asked).toEqual([null, '2', '4']);
  });

  it('asks for a page once, however often it is asked', async () => {
    const { paged, asked } = pages();
    await paged.reload();
    await Promise.all([paged.more(), paged.more()]);
    expect(asked).toEqual([null, '2']);
  });

  it('keeps what is there when the next page fails, and goes on from there', async () => {
    const { paged } = pages('2');
    await paged.reload();
    await paged.rest();
    expect(paged.items).toHaveLength(2);
    expect(paged.problem?.title).toBe('Busy.');
    expect(paged.hasMore).toBe(true);
  });

  it('fetches all that is left for a search', async () => {
    const { paged } = pages();
    await paged.reload();
    await paged.rest();
    expect(paged.items).toHaveLength(6);
  });

  it('is empty only after the server said so', async () => {
    const paged = new Paged(async () => ({ items: [] as { id: string }[], next_cursor: null }));
    expect(paged.isEmpty).toBe(false);
    await paged.reload();
    expect(paged.isEmpty).toBe(true);
  });
});
