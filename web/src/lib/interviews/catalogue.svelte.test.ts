import { describe, expect, it, vi } from 'vitest';
import { FakeServer, json } from '../../../test/fake-server.ts';
import { InterviewCatalogue } from './catalogue.svelte.ts';

const interview = (n: number, title: string, state: string) => ({ id: `int_${n}`, title, state, language: 'python', code: null });

function server() {
  return new FakeServer().on(
    'GET /api/v1/interviews',
    json({ items: [interview(1, 'Backend', 'live'), interview(2, 'Frontend', 'ended')], next_cursor: 'two' }),
    json({ items: [interview(3, 'Backend, second round', 'ended')], next_cursor: null }),
  );
}

describe('the list of interviews', () => {
  it('looks through all pages before it says that nothing matches', async () => {
    const { calls } = server();
    const catalogue = new InterviewCatalogue();
    await catalogue.paged.reload();
    catalogue.narrow({ words: 'second backend' });
    expect(catalogue.isSearching).toBe(true);
    await vi.waitFor(() => expect(catalogue.isSearching).toBe(false));
    expect(catalogue.shown.map(({ id }) => id)).toEqual(['int_3']);
    expect(calls.map(({ path }) => path)).toEqual([
      '/api/v1/interviews?limit=50',
      '/api/v1/interviews?limit=200&cursor=two',
    ]);
  });

  it('combines state and words, and shows all again', async () => {
    server();
    const catalogue = new InterviewCatalogue();
    await catalogue.paged.reload();
    catalogue.narrow({ state: 'live', words: 'BACK' });
    await vi.waitFor(() => expect(catalogue.isSearching).toBe(false));
    expect(catalogue.shown.map(({ id }) => id)).toEqual(['int_1']);
    catalogue.clear();
    expect(catalogue.shown).toHaveLength(3);
  });
});
