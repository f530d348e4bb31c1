import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Delivery, Webhook } from '#lib/api/notifications.ts';
import { FakeServer, json } from '../../../../test/fake-server.ts';
import { LOOK_AGAIN_MS, OneWebhook } from './one-webhook.svelte.ts';
import { offReason, standingOf } from './words.ts';

const ROUTE = '/api/v1/me/webhooks/whk_1';
const webhook: Webhook = {
  id: 'whk_1',
  url: 'https://example.org/hook',
  kinds: ['project.released'],
  description: '',
  active: true,
  failures: 0,
  switched_off_at: null,
  created_at: '2026-11-26T09:00:00Z',
};
const delivery = (fields: Partial<Delivery>): Delivery => ({
  id: 'dlv_1',
  event_id: 'evt_1',
  kind: 'webhook.test',
  status: 'waiting',
  attempts: 0,
  response_status: null,
  response_excerpt: '',
  error: '',
  duration_ms: null,
  created_at: '2026-11-26T09:00:00Z',
  attempted_at: null,
  next_attempt_at: new Date().toISOString(),
  ...fields,
});
const pageOf = (...items: Delivery[]) => json({ items, next_cursor: null });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a webhook', () => {
  it('shows what became of a test as soon as it is known', async () => {
    const done = delivery({ status: 'delivered', attempts: 1, response_status: 204, next_attempt_at: null });
    const server = new FakeServer()
      .on(`GET ${ROUTE}`, json(webhook))
      .on(`GET ${ROUTE}/deliveries`, pageOf(), pageOf(delivery({})), pageOf(done))
      .on(`POST ${ROUTE}/test`, json(delivery({}), 202));
    const one = new OneWebhook('whk_1');
    const close = one.open();
    await vi.advanceTimersByTimeAsync(0);
    await one.test();
    expect(one.deliveries.items.map(({ status }) => status)).toEqual(['waiting']);
    await vi.advanceTimersByTimeAsync(2 * LOOK_AGAIN_MS);
    expect(one.deliveries.items.map(({ status }) => status)).toEqual(['delivered']);
    const asked = server.calls.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.calls).toHaveLength(asked);
    close();
  });

  it('says in words why it was switched off', () => {
    const off = { ...webhook, active: false, failures: 50, switched_off_at: '2026-11-26T09:00:00Z' };
    const refused = delivery({ attempts: 3, response_status: 500, error: 'the answer was 500', attempted_at: off.switched_off_at });
    expect(standingOf(off)).toBe('switched off');
    expect(standingOf({ ...off, switched_off_at: null })).toBe('paused');
    expect(offReason(off, refused)).toBe('50 calls in a row failed. The last one: the answer was 500.');
    expect(offReason(off, null)).toBe('50 calls in a row failed.');
    expect(offReason({ ...off, failures: 1 }, { ...refused, response_status: 410 })).toMatch('wants no more');
  });
});
