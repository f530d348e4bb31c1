import { describe, expect, it } from 'vitest';
import type { Order } from '#lib/api/index.ts';
import { FakeServer, json, problem } from '../../../../test/fake-server.ts';
import { Buying } from './buying.svelte.ts';
import { sumsOf } from './ledger.ts';
import { OrderCase } from './order-case.svelte.ts';
import { standing, stepsOf } from './words.ts';

const order = (change: Partial<Order> = {}): Order => ({
  id: 'ord_1',
  state: 'pending',
  side: 'buyer',
  project: { slug: 'ada.engine', title: 'Engine' },
  buyer: 'grace',
  quantity: 1,
  amount_minor: 900,
  refunded_minor: 0,
  disputed_minor: 0,
  currency: 'EUR',
  provider: 'manual',
  checkout_url: null,
  invoice_number: 'INV-2026-000001',
  payment_reference: null,
  created_at: '2026-11-26T10:00:00Z',
  expires_at: '2026-12-03T10:00:00Z',
  paid_at: null,
  ...change,
});
const PAID = { state: 'paid', side: 'seller', paid_at: '2026-11-27T10:00:00Z' } as const;
const keysOf = (server: FakeServer, path: string) =>
  server.calls.filter((call) => call.path === path).map(({ headers }) => headers['idempotency-key']);

describe('buying', () => {
  it('asks again with the same key when the answer was lost, so that nothing is ordered twice', async () => {
    const path = '/api/v1/projects/ada.engine/orders';
    const server = new FakeServer()
      .on('GET /api/v1/projects/ada.engine/purchase', json({ order: null, entitlement: null }))
      .on(`POST ${path}`, new TypeError('cut'), json(order()));
    const buying = new Buying();
    await buying.load('ada.engine');
    await expect(buying.buy()).rejects.toThrow();
    expect((await buying.buy()).id).toBe('ord_1');
    expect(buying.order?.invoice_number).toBe('INV-2026-000001');
    expect(new Set(keysOf(server, path)).size).toBe(1);
  });

  it('never shows what somebody has of the project that was asked for before', async () => {
    let come!: (answer: Response) => void;
    new FakeServer()
      .on('GET /api/v1/projects/ada.slow/purchase', () => new Promise<Response>((resolve) => (come = resolve)))
      .on('GET /api/v1/projects/ada.engine/purchase', json({ order: null, entitlement: null }));
    const buying = new Buying();
    const slow = buying.load('ada.slow');
    await buying.load('ada.engine');
    come(json({ order: order(), entitlement: null }));
    await slow;
    expect(buying.order).toBeNull();
  });
});

describe('an order', () => {
  it('brings its ledger to the seller, and asks for none in the name of the buyer', async () => {
    const server = new FakeServer()
      .on('GET /api/v1/orders/ord_1', json(order(PAID)), json(order()))
      .on('GET /api/v1/orders/ord_1/ledger', json({ transactions: [] }));
    const matter = new OrderCase();
    await matter.load('ord_1');
    await matter.loadLedger();
    expect(matter.ledger).toEqual([]);
    const asked = server.calls.length;
    await matter.load('ord_1');
    expect(server.calls.length).toBe(asked + 1);
  });

  it('gives the same part back once, however often its answer is lost', async () => {
    const path = '/api/v1/orders/ord_1/refund';
    const server = new FakeServer()
      .on('GET /api/v1/orders/ord_1', json(order(PAID)))
      .on('GET /api/v1/orders/ord_1/ledger', json({ transactions: [] }))
      .on(`POST ${path}`, problem(503), json(order({ ...PAID, refunded_minor: 400 })));
    const matter = new OrderCase();
    await matter.load('ord_1');
    await expect(matter.refund(400)).rejects.toThrow();
    await matter.refund(400);
    expect(matter.restMinor).toBe(500);
    await matter.refund(400);
    const [first, again, other] = keysOf(server, path);
    expect(first).toBe(again);
    expect(other).not.toBe(first);
  });
});

describe('the words of an order', () => {
  it('say to each side what comes next', () => {
    expect(standing(order())).toContain('Pay €9.00 to ada, and name INV-2026-000001.');
    expect(standing(order({ side: 'seller' }))).toContain('mark the order as paid');
    expect(standing(order({ ...PAID, refunded_minor: 400 }))).toBe('€4.00 was given back; grace keeps the download.');
  });

  it('tell its steps, done and to come', () => {
    const steps = (change: Partial<Order>) => stepsOf(order(change)).map(({ label, state }) => `${label}: ${state}`);
    expect(steps({})).toEqual(['Ordered: done', 'Waiting for the payment: now', 'Download and licence key: ahead']);
    expect(steps({ state: 'cancelled' })).toEqual(['Ordered: done', 'Cancelled: done']);
    expect(steps({ ...PAID, state: 'refunded', refunded_minor: 900 })).toEqual([
      'Ordered: done',
      'Paid: done',
      'All given back: done',
    ]);
  });
});

it('a ledger balances when each of its transactions does, in each currency by itself', () => {
  const transaction = (currency: string, ...amounts: number[]) => ({
    key: String(amounts),
    happening: 'paid' as const,
    currency,
    entries: amounts.map((amount_minor) => ({ account: 'refunds' as const, amount_minor })),
    at: '2026-11-26T10:00:00Z',
  });
  const euros = { currency: 'EUR', debit: 900, credit: 900 };
  expect(sumsOf([transaction('EUR', 900, -810, -90)])).toEqual({ sums: [euros], balanced: true });
  expect(sumsOf([transaction('EUR', 900, -810), transaction('EUR', -90)]).balanced).toBe(false);
  expect(sumsOf([transaction('EUR', 900), transaction('USD', -900)]).balanced).toBe(false);
  expect(sumsOf([transaction('EUR', 900, -900), transaction('USD', 1500, -1500)])).toEqual({
    sums: [euros, { currency: 'USD', debit: 1500, credit: 1500 }],
    balanced: true,
  });
  expect(sumsOf([])).toEqual({ sums: [], balanced: true });
});
