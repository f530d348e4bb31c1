import { describe, expect, it, vi } from 'vitest';
import { FakeServer, json, problem } from '../../../../test/fake-server.ts';
import { ProjectVisit } from './visit.svelte.ts';

const project = (change = {}) => ({ id: 'prj_1', slug: 'ada.engine', starred: false, stars: 41, revision: 3, ...change });

async function visiting(server: FakeServer): Promise<ProjectVisit> {
  server.on('GET /api/v1/projects/ada.engine', json(project()));
  const visit = new ProjectVisit();
  await visit.load('ada.engine');
  return visit;
}

describe('a visit', () => {
  it('tells the present slug of a project that was renamed', async () => {
    new FakeServer().on('GET /api/v1/projects/ada.old', json(project()));
    const visit = new ProjectVisit();
    expect(await visit.load('ada.old')).toBe('ada.engine');
    expect(visit.project?.stars).toBe(41);
  });

  it('never shows the project that was asked for before', async () => {
    let come!: (answer: Response) => void;
    new FakeServer()
      .on('GET /api/v1/projects/ada.slow', () => new Promise<Response>((resolve) => (come = resolve)))
      .on('GET /api/v1/projects/ada.engine', json(project()));
    const visit = new ProjectVisit();
    const slow = visit.load('ada.slow');
    await visit.load('ada.engine');
    come(json(project({ slug: 'ada.slow' })));
    expect(await slow).toBeNull();
    expect(visit.project?.slug).toBe('ada.engine');
  });

  it('says why there is nothing to see', async () => {
    new FakeServer().on('GET /api/v1/projects/ada.gone', problem(404, { title: 'The project was not found' }));
    const visit = new ProjectVisit();
    await visit.load('ada.gone');
    expect([visit.status, visit.problem?.title]).toEqual(['failed', 'The project was not found']);
  });
});

it('a rating is never that of the project that was asked for before', async () => {
  const server = new FakeServer().on('GET /api/v1/projects/ada.loom', json(project({ id: 'prj_2', slug: 'ada.loom' })));
  const visit = await visiting(server);
  const ratings = { count: 1, mean: 4, stars: {} };
  visit.rated('prj_1', ratings);
  expect(visit.ratings).toEqual(ratings);
  await visit.load('ada.loom');
  visit.rated('prj_1', ratings);
  expect(visit.ratings).toBeNull();
});

describe('a star', () => {
  it('is there at once, and is what the server counts afterwards', async () => {
    const server = new FakeServer().on('PUT /api/v1/projects/ada.engine/star', json({ starred: true, stars: 50 }));
    const visit = await visiting(server);
    const done = visit.star();
    expect([visit.project?.starred, visit.project?.stars]).toEqual([true, 42]);
    await done;
    expect(visit.project?.stars).toBe(50);
  });

  it('is taken back when the server refuses it', async () => {
    const server = new FakeServer().on('PUT /api/v1/projects/ada.engine/star', problem(401, { title: 'Sign in' }));
    const visit = await visiting(server);
    await expect(visit.star()).rejects.toThrow('Sign in');
    expect([visit.project?.starred, visit.project?.stars]).toEqual([false, 41]);
  });

  it('ends as it was last wished, however fast it was pressed', async () => {
    const server = new FakeServer()
      .on('PUT /api/v1/projects/ada.engine/star', json({ starred: true, stars: 42 }))
      .on('DELETE /api/v1/projects/ada.engine/star', json({ starred: false, stars: 41 }));
    const visit = await visiting(server);
    const first = visit.star();
    await visit.star();
    await first;
    expect(visit.project?.starred).toBe(false);
    expect(server.calls.map(({ method }) => method)).toEqual(['GET', 'PUT', 'DELETE']);
  });
});

describe('the counters', () => {
  const COUNTERS = 'GET /api/v1/projects/counters';
  const counted = (change = {}) => json({ items: [{ id: 'prj_1', stars: 41, downloads: 8, views: 90, ...change }] });

  it('move with one’s own download', async () => {
    const server = new FakeServer()
      .on('POST /api/v1/projects/ada.engine/downloads', json({ url: 'https://example.org/a' }))
      .on(COUNTERS, counted());
    const visit = await visiting(server);
    await visit.download();
    await vi.waitFor(() => expect([visit.project?.downloads, visit.project?.views]).toEqual([8, 90]));
    expect(server.calls.at(-1)?.path).toBe('/api/v1/projects/counters?ids=prj_1');
  });

  it('move with a file that is downloaded by its own link, once it is counted', async () => {
    const server = new FakeServer()
      .on('GET /api/v1/projects/ada.engine/releases/1.0.0/files/engine.zip', new Response('P', { status: 206 }), problem(403))
      .on(COUNTERS, counted());
    const visit = await visiting(server);
    await visit.took('1.0.0', 'engine.zip');
    expect([visit.project?.downloads, visit.downloads]).toEqual([8, 1]);
    expect(server.calls.at(-2)?.headers.range).toBe('bytes=0-0');
    await visit.took('1.0.0', 'engine.zip');
    expect(visit.downloads).toBe(1);
    expect(server.calls.filter(({ path }) => path.includes('counters'))).toHaveLength(1);
  });

  it('stay as they are when they do not come, and the download is none the worse', async () => {
    const server = new FakeServer()
      .on('POST /api/v1/projects/ada.engine/downloads', json({ url: 'https://example.org/a' }))
      .on(COUNTERS, problem(503));
    const visit = await visiting(server);
    expect(await visit.download()).toBe('https://example.org/a');
    await visit.recount();
    expect([visit.status, visit.project?.stars]).toEqual(['ready', 41]);
  });

  it('leave a star alone that is on its way', async () => {
    let come!: (answer: Response) => void;
    const server = new FakeServer()
      .on('PUT /api/v1/projects/ada.engine/star', () => new Promise<Response>((resolve) => (come = resolve)))
      .on(COUNTERS, counted());
    const visit = await visiting(server);
    const starred = visit.star();
    await visit.recount();
    expect([visit.project?.stars, visit.project?.downloads]).toEqual([42, 8]);
    come(json({ starred: true, stars: 50 }));
    await starred;
    expect(visit.project?.stars).toBe(50);
  });

  it('are not those of a project that was left meanwhile', async () => {
    let come!: (answer: Response) => void;
    const server = new FakeServer()
      .on('GET /api/v1/projects/ada.loom', json(project({ id: 'prj_2', slug: 'ada.loom', stars: 3 })))
      .on(COUNTERS, () => new Promise<Response>((resolve) => (come = resolve)));
    const visit = await visiting(server);
    const counting = visit.recount();
    await visit.load('ada.loom');
    come(counted());
    await counting;
    expect(visit.project?.stars).toBe(3);
  });
});

it('counts each download with a key of its own', async () => {
  const server = new FakeServer().on('POST /api/v1/projects/ada.engine/downloads', json({ url: 'https://example.org/a' }));
  const visit = await visiting(server);
  expect(await visit.download()).toBe('https://example.org/a');
  await visit.download();
  const keys = server.calls.filter(({ method }) => method === 'POST').map(({ headers }) => headers['idempotency-key']);
  expect(new Set(keys).size).toBe(2);
});
