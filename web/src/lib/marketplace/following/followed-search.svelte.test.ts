import { describe, expect, it } from 'vitest';
import { FakeServer, json } from '../../../../test/fake-server.ts';
import { canBeFollowed, EVERYTHING } from '../search/wish.ts';
import { FollowedSearches } from './followed-search.svelte.ts';
import { feedOfSearch } from './feeds.ts';

const wish = { ...EVERYTHING, q: 'fast  API', technologies: ['Rust', 'C'], tags: ['web'] };
const search = { id: 'sea_1', q: 'Fast api', technologies: ['c', 'rust'], tags: ['Web'], license: null, price: 'all' };

describe('followed searches', () => {
  it('know a search again however it was written', async () => {
    new FakeServer().on('GET /api/v1/me/searches', json({ items: [search], next_cursor: null }));
    const followed = new FollowedSearches();
    expect(followed.has(wish)).toBeNull();
    await followed.load();
    expect([followed.has(wish), followed.has({ ...wish, sort: 'name' }), followed.has({ ...wish, price: 'free' })]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('follow and stop', async () => {
    const server = new FakeServer()
      .on('GET /api/v1/me/searches', json({ items: [], next_cursor: null }))
      .on('POST /api/v1/me/searches', json(search, 201))
      .on('DELETE /api/v1/me/searches/sea_1', new Response(null, { status: 204 }));
    const followed = new FollowedSearches();
    await followed.load();
    await followed.follow(wish);
    expect(server.calls[1]!.body).toEqual({ q: 'fast  API', technologies: ['Rust', 'C'], license: null, price: 'all', tags: ['web'] });
    expect(followed.has(wish)).toBe(true);
    await followed.unfollow(wish);
    expect(followed.has(wish)).toBe(false);
  });

  it.each([
    [{}, false],
    [{ q: ' +!' }, false],
    [{ price: 'free' as const }, false],
    [{ q: 'é' }, true],
    [{ license: 'MIT' }, true],
    [{ tags: ['web'], price: 'paid' as const }, true],
  ])('need something to look for: %j', (asked, possible) => {
    expect(canBeFollowed({ ...EVERYTHING, ...asked })).toBe(possible);
  });
});

it.each([
  [{ sort: 'name' as const }, '/feeds/projects.atom'],
  [{ tags: ['c++/x'] }, '/feeds/tags/c%2B%2B%2Fx.atom'],
  [{ tags: ['web'], price: 'free' as const }, '/feeds/search.atom?price=free&tags=web'],
  [{ q: 'a b', sort: 'name' as const }, '/feeds/search.atom?q=a+b'],
])('the feed of %j', (asked, address) => {
  expect(feedOfSearch({ ...EVERYTHING, ...asked })).toBe(address);
});
