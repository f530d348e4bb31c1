import { describe, expect, it } from 'vitest';
import { FakeServer, json, problem } from '../../../../test/fake-server.ts';
import { CollectionVisit } from './collection.svelte.ts';
import { moved, restored, without, type Item } from './order.ts';

const PATH = '/api/v1/collections/col_1';
const item = (name: string, position: number) =>
  ({ project: { id: name, slug: `ada.${name}` }, note: `About ${name}`, position, id: name }) as unknown as Item;
const items = ['a', 'b', 'c', 'd'].map(item);
const shown = (list: readonly Item[]) => list.map(({ id, position }) => `${id}${position}`).join(' ');

describe('the order', () => {
  it.each([
    ['a', 2, 'b0 c1 a2 d3'],
    ['d', 0, 'd0 a1 b2 c3'],
    ['b', 1, 'a0 b1 c2 d3'],
    ['a', -1, 'a0 b1 c2 d3'],
    ['d', 4, 'a0 b1 c2 d3'],
    ['x', 0, 'a0 b1 c2 d3'],
  ])('with %s at %d', (id, to, order) => expect(shown(moved(items, id, to))).toBe(order));

  it('closes behind what was taken out, and opens again', () => {
    const rest = without(items, 'b');
    expect(shown(rest)).toBe('a0 c1 d2');
    expect(shown(restored(rest, items[1]!))).toBe('a0 b1 c2 d3');
    expect(restored(items, items[1]!)).toBe(items);
    expect(without(items, 'x')).toBe(items);
  });
});

async function visiting(server: FakeServer): Promise<CollectionVisit> {
  server
    .on(`GET ${PATH}`, json({ id: 'col_1', title: 'Engines', items: 4 }))
    .on(`GET ${PATH}/items`, json({ items, next_cursor: null }));
  const visit = new CollectionVisit('col_1');
  await visit.load();
  return visit;
}

describe('a collection', () => {
  it('is moved about at once, and the server hears of it in that order', async () => {
    const server = new FakeServer().on(`PUT ${PATH}/items/ada.a`, json(items[0]));
    const visit = await visiting(server);
    const first = visit.move('a', 1);
    const second = visit.move('a', 1);
    expect(shown(visit.paged.items)).toBe('b0 c1 a2 d3');
    await Promise.all([first, second]);
    expect(server.calls.slice(2).map(({ body }) => body)).toEqual([{ position: 1 }, { position: 2 }]);
    await visit.move('b', -1);
    expect(server.calls).toHaveLength(4);
  });

  it('gets back what was taken out, with its note and in its place', async () => {
    const server = new FakeServer()
      .on(`DELETE ${PATH}/items/ada.b`, new Response(null, { status: 204 }))
      .on(`PUT ${PATH}/items/ada.b`, json(items[1], 201));
    const visit = await visiting(server);
    await visit.take(items[1]!);
    expect([shown(visit.paged.items), visit.collection?.items]).toEqual(['a0 c1 d2', 3]);
    await visit.putBack(items[1]!);
    expect([shown(visit.paged.items), visit.collection?.items]).toEqual(['a0 b1 c2 d3', 4]);
    expect(server.calls.at(-1)!.body).toEqual({ note: 'About b', position: 1 });
  });

  it('is as the server has it when a change is refused', async () => {
    const visit = await visiting(new FakeServer().on(`DELETE ${PATH}/items/ada.b`, problem(429)));
    await expect(visit.take(items[1]!)).rejects.toThrow();
    expect([shown(visit.paged.items), visit.collection?.items]).toEqual(['a0 b1 c2 d3', 4]);
  });

  it('says so when there is none', async () => {
    new FakeServer().on(`GET ${PATH}`, problem(404, { title: 'The collection was not found' }));
    const visit = new CollectionVisit('col_1');
    await visit.load();
    expect(visit.problem?.title).toBe('The collection was not found');
  });
});
