import { expect, it } from 'vitest';
import { FakeServer, json, problem, type Call } from '../../../../test/fake-server.ts';
import { Memberships } from './memberships.svelte.ts';

const collection = (id: string) => ({ id, title: id, visibility: 'public', items: 1 });
const own = ({ path }: Call) =>
  json({ items: (path.includes('project=') ? ['col_1'] : ['col_2', 'col_1']).map(collection), next_cursor: null });

async function loaded(server: FakeServer): Promise<Memberships> {
  server.on('GET /api/v1/me/collections', own);
  const memberships = new Memberships('ada.engine');
  await memberships.load();
  return memberships;
}
const state = (memberships: Memberships) => memberships.collections?.map(({ id }) => [id, memberships.has(id)]);

it('knows in which collections the project is', async () => {
  expect(state(await loaded(new FakeServer()))).toEqual([
    ['col_2', false],
    ['col_1', true],
  ]);
});

it('shows a choice at once, and takes it back when it is refused', async () => {
  const server = new FakeServer().on('PUT /api/v1/collections/col_2/items/ada.engine', problem(409, { title: 'Full' }));
  const memberships = await loaded(server);
  const done = memberships.set('col_2', true);
  expect(memberships.has('col_2')).toBe(true);
  await expect(done).rejects.toThrow('Full');
  expect(memberships.has('col_2')).toBe(false);
});

it('puts the project into a new collection', async () => {
  const server = new FakeServer()
    .on('POST /api/v1/collections', json(collection('col_3'), 201))
    .on('PUT /api/v1/collections/col_3/items/ada.engine', json({}, 201));
  const memberships = await loaded(server);
  await memberships.create({ title: 'New', visibility: 'private', description: '' });
  expect(state(memberships)?.[0]).toEqual(['col_3', true]);
});

it('a collection is opened with the project that was just put into it', async () => {
  let come!: (answer: Response) => void;
  const server = new FakeServer().on(
    'PUT /api/v1/collections/col_2/items/ada.engine',
    () => new Promise<Response>((resolve) => (come = resolve)),
  );
  const memberships = await loaded(server);
  expect([memberships.isKept('col_1'), memberships.isKept('col_2')]).toEqual([true, false]);
  const done = memberships.set('col_2', true);
  expect([memberships.has('col_2'), memberships.isKept('col_2')]).toEqual([true, false]);
  come(json({}, 201));
  await done;
  expect(memberships.isKept('col_2')).toBe(true);
});
