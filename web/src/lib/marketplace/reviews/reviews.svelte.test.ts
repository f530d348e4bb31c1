import { expect, it } from 'vitest';
import { FakeServer, json, problem } from '../../../../test/fake-server.ts';
import { Reviews } from './reviews.svelte.ts';

const PATH = '/api/v1/projects/ada.engine';
const review = (id: string, change = {}) => ({ id, rating: 4, title: '', body: 'Good.', reply: null, marked: false, ...change });
const page = (items: unknown[], own: unknown = null) => ({
  items,
  next_cursor: null,
  summary: { count: items.length, mean: items.length ? 4 : null, stars: { 1: 0, 2: 0, 3: 0, 4: items.length, 5: 0 } },
  own,
  may_review: true,
});

it('shows one’s own review once, apart from the others', async () => {
  const mine = review('rev_2');
  new FakeServer().on(`GET ${PATH}/reviews`, json(page([review('rev_1'), mine], mine)));
  const reviews = new Reviews('ada.engine');
  await reviews.load();
  expect(reviews.others.map(({ id }) => id)).toEqual(['rev_1']);
  expect([reviews.own?.id, reviews.mayReview, reviews.summary?.count]).toEqual(['rev_2', true, 2]);
});

it('counts anew after one has written, and keeps what was there when it is refused', async () => {
  const server = new FakeServer()
    .on(`GET ${PATH}/reviews`, json(page([])), json(page([review('rev_1')], review('rev_1'))))
    .on(`PUT ${PATH}/review`, problem(403, { title: 'You have not used it' }), json(review('rev_1'), 201));
  const reviews = new Reviews('ada.engine');
  await reviews.load();
  const draft = { rating: 4, title: '', body: 'Good.' };
  await expect(reviews.write(draft)).rejects.toThrow('You have not used it');
  expect(reviews.own).toBeNull();
  await reviews.write(draft);
  expect([reviews.own?.id, reviews.summary?.count]).toEqual(['rev_1', 1]);
  expect(server.calls[1]!.body).toEqual(draft);
});

it('tells how people rate it each time that it was read', async () => {
  new FakeServer()
    .on(`GET ${PATH}/reviews`, json(page([])), json(page([review('rev_1')], review('rev_1'))))
    .on(`PUT ${PATH}/review`, json(review('rev_1'), 201));
  const heard: (number | null)[] = [];
  const reviews = new Reviews('ada.engine', ({ mean }) => heard.push(mean));
  await reviews.load();
  await reviews.write({ rating: 4, title: '', body: 'Good.' });
  expect(heard).toEqual([null, 4]);
});

it('asks for the order that was chosen', async () => {
  const server = new FakeServer().on(`GET ${PATH}/reviews`, json(page([])));
  const reviews = new Reviews('ada.engine');
  await reviews.load();
  await reviews.sort('helpful');
  expect(server.calls[1]!.path).toContain('sort=helpful');
});

it('shows the owner’s reply in its place, and takes it back', async () => {
  new FakeServer()
    .on(`GET ${PATH}/reviews`, json(page([review('rev_1'), review('rev_2')])))
    .on('PUT /api/v1/reviews/rev_1/reply', json(review('rev_1', { reply: 'Thanks.' })))
    .on('DELETE /api/v1/reviews/rev_1/reply', json(review('rev_1')));
  const reviews = new Reviews('ada.engine');
  await reviews.load();
  await reviews.reply(reviews.others[0]!, 'Thanks.');
  expect(reviews.others.map(({ reply }) => reply)).toEqual(['Thanks.', null]);
  await reviews.reply(reviews.others[0]!, null);
  expect(reviews.others[0]!.reply).toBeNull();
});
