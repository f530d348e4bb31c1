import { describe, expect, it, vi } from 'vitest';
import { FakeServer, json, problem, type Call } from '../../../../test/fake-server.ts';
import { ProjectSearch } from './project-search.svelte.ts';
import { EVERYTHING } from './wish.ts';

const facets = { technologies: [], license: [], price: [], tags: [] };
const found = (names: string[], next_cursor: string | null = null, total = names.length) =>
  json({ items: names.map((name) => ({ id: name })), next_cursor, total, facets, corrected: null });
const wish = (q: string) => ({ ...EVERYTHING, q });
const names = (search: ProjectSearch) => search.results?.items.map(({ id }) => id);

/** Answers that come when the test says so. */
function slowly() {
  const waiting = new Map<string, (answer: Response) => void>();
  const answer = (call: Call, { signal }: RequestInit) =>
    new Promise<Response>((come, fail) => {
      waiting.set(new URL(call.path, 'http://here').searchParams.get('q') ?? '', come);
      signal?.addEventListener('abort', () => fail(signal.reason));
    });
  return { answer, waiting };
}

describe('searching', () => {
  it('asks with all of the wish', async () => {
    const { calls } = new FakeServer().on('GET /api/v1/projects', found(['one']));
    const search = new ProjectSearch();
    await search.show({ q: 'web', technologies: ['C++', 'Go'], license: 'MIT', price: 'free', tags: [], sort: 'name' });
    expect(calls[0]!.path).toBe(
      '/api/v1/projects?q=web&technologies=C%2B%2B&technologies=Go&license=MIT&price=free&sort=name&limit=50',
    );
    expect(names(search)).toEqual(['one']);
  });

  it('never shows the answer to an older question', async () => {
    const { answer, waiting } = slowly();
    new FakeServer().on('GET /api/v1/projects', answer);
    const search = new ProjectSearch();
    const older = search.show(wish('re'));
    const newer = search.show(wish('react'));
    waiting.get('react')!(found(['react']));
    await newer;
    waiting.get('re')!(found(['redis']));
    await older;
    expect(names(search)).toEqual(['react']);
    expect(search.status).toBe('ready');
  });

  it('keeps the rows until the next ones are here', async () => {
    const { answer, waiting } = slowly();
    new FakeServer().on('GET /api/v1/projects', answer);
    const search = new ProjectSearch();
    const first = search.show(wish('a'));
    waiting.get('a')!(found(['ant']));
    await first;
    const second = search.show(wish('b'));
    expect(names(search)).toEqual(['ant']);
    expect(search.status).toBe('loading');
    waiting.get('b')!(found(['bee']));
    await second;
    expect(names(search)).toEqual(['bee']);
  });

  it('fetches page after page, each once', async () => {
    const { calls } = new FakeServer().on(
      'GET /api/v1/projects',
      found(['1', '2'], 'two', 4),
      found(['3'], 'three'),
      found(['4']),
    );
    const search = new ProjectSearch();
    await search.show(EVERYTHING);
    await Promise.all([search.more(), search.more()]);
    expect(names(search)).toEqual(['1', '2', '3']);
    await search.reach(4);
    await search.more();
    expect(names(search)).toEqual(['1', '2', '3', '4']);
    expect(search.results?.total).toBe(4);
    expect(search.hasMore).toBe(false);
    expect(calls.map(({ path }) => new URL(path, 'http://here').searchParams.get('cursor'))).toEqual([
      null,
      'two',
      'three',
    ]);
  });

  it('keeps what it has when the next page fails', async () => {
    new FakeServer().on('GET /api/v1/projects', found(['1'], 'two', 2), problem(500), found(['2']));
    const search = new ProjectSearch();
    await search.show(EVERYTHING);
    await search.more();
    expect(names(search)).toEqual(['1']);
    expect(search.nextProblem?.status).toBe(500);
    await search.more();
    expect(names(search)).toEqual(['1', '2']);
    expect(search.nextProblem).toBeNull();
  });
});

describe('going back', () => {
  it('finds all rows without asking again', async () => {
    const { calls } = new FakeServer().on(
      'GET /api/v1/projects',
      found(['1'], 'two', 2),
      found(['2']),
      found(['other']),
    );
    const search = new ProjectSearch();
    await search.show(EVERYTHING);
    await search.more();
    await search.show(wish('other'));
    void search.show(EVERYTHING, { remembered: true });
    expect(names(search)).toEqual(['1', '2']);
    expect(calls).toHaveLength(3);
  });

  it('asks again only for somebody who comes anew', async () => {
    const { calls } = new FakeServer().on('GET /api/v1/projects', found(['old']), found(['new']));
    const search = new ProjectSearch();
    await search.show(EVERYTHING, { remembered: true });
    await search.freshen();
    expect(calls).toHaveLength(1);
    await search.show(EVERYTHING, { remembered: true });
    await search.freshen();
    expect(names(search)).toEqual(['new']);
  });

  it('asks again after a change of one’s own, and when somebody comes anew', async () => {
    const { calls } = new FakeServer().on('GET /api/v1/projects', found(['old']), found(['x']), found(['new']), found(['y']));
    const search = new ProjectSearch();
    await search.show(EVERYTHING);
    await search.show(wish('x'));
    await search.show(EVERYTHING);
    expect(names(search)).toEqual(['new']);
    search.forget();
    await search.show(EVERYTHING, { remembered: true });
    expect(names(search)).toEqual(['y']);
    expect(calls).toHaveLength(4);
  });
});

describe('a search that fails', () => {
  it('says why, and can be tried again', async () => {
    new FakeServer().on('GET /api/v1/projects', new TypeError('offline'), found(['1']));
    const search = new ProjectSearch();
    await search.show(EVERYTHING);
    expect(search.problem?.isOffline).toBe(true);
    expect(search.results).toBeNull();
    await search.reload();
    expect(names(search)).toEqual(['1']);
    expect(search.problem).toBeNull();
  });

  it('is tried again by itself while the server still reads the catalogue', async () => {
    vi.useFakeTimers();
    new FakeServer().on('GET /api/v1/projects', problem(503, {}, { 'retry-after': '2' }), found(['1']));
    const search = new ProjectSearch();
    await search.show(EVERYTHING);
    expect(search.status).toBe('failed');
    await vi.advanceTimersByTimeAsync(2000);
    expect(names(search)).toEqual(['1']);
    vi.useRealTimers();
  });
});
