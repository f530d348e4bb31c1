import { expect, it } from 'vitest';
import { FakeServer, json, problem } from '../../../../test/fake-server.ts';
import { FollowingList } from './following.svelte.ts';

const person = (handle: string) => ({
  kind: 'person',
  followed_at: '2026-01-01T00:00:00Z',
  person: { handle, display_name: handle },
  project: null,
  search: null,
});
const handles = (list: FollowingList) => list.paged.items.map(({ id }) => id);

async function listing(server: FakeServer): Promise<FollowingList> {
  server.on('GET /api/v1/me/following', json({ items: ['ada', 'grace', 'hedy'].map(person), next_cursor: null }));
  const list = new FollowingList('person');
  await list.paged.reload();
  return list;
}

it('takes away at once what is no longer followed, and puts it back in its place', async () => {
  const server = new FakeServer()
    .on('DELETE /api/v1/users/grace/follow', json({ following: false, followers: 0 }))
    .on('PUT /api/v1/users/grace/follow', json({ following: true, followers: 1 }));
  const list = await listing(server);
  const before = list.paged.items;
  const done = list.unfollow(before[1]!);
  expect(handles(list)).toEqual(['ada', 'hedy']);
  await done;
  await list.followAgain(before[1]!, before);
  expect(handles(list)).toEqual(['ada', 'grace', 'hedy']);
  await list.followAgain(before[1]!, before);
  expect(handles(list)).toEqual(['ada', 'grace', 'hedy']);
});

it('shows it again when the server refuses', async () => {
  const list = await listing(new FakeServer().on('DELETE /api/v1/users/hedy/follow', problem(429)));
  await expect(list.unfollow(list.paged.items[2]!)).rejects.toThrow();
  expect(handles(list)).toEqual(['ada', 'grace', 'hedy']);
});

it('follows a search again with all that it asked for', async () => {
  const search = { id: 'sea_1', name: 'Boats', q: 'boat', technologies: ['Rust'], license: null, price: 'free', tags: [] };
  const row = { kind: 'search', followed_at: '2026-01-01T00:00:00Z', person: null, project: null, search };
  const server = new FakeServer()
    .on('GET /api/v1/me/following', json({ items: [row], next_cursor: null }))
    .on('DELETE /api/v1/me/searches/sea_1', new Response(null, { status: 204 }))
    .on('POST /api/v1/me/searches', json({ ...search, id: 'sea_2' }, 201));
  const list = new FollowingList('search');
  await list.paged.reload();
  const before = list.paged.items;
  await list.unfollow(before[0]!);
  expect(handles(list)).toEqual([]);
  await list.followAgain(before[0]!, before);
  const { id: _, ...asked } = search;
  expect(server.calls.at(-1)!.body).toEqual(asked);
  expect(handles(list)).toEqual(['sea_2']);
});
