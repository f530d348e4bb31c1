import { describe, expect, it } from 'vitest';
import type { KeyLimits } from '#lib/api/ai.ts';
import { ApiProblem } from '#lib/api/problem.ts';
import { FakeServer, json, problem } from '../../../../test/fake-server.ts';
import { bodyOf, fieldsOf, limitsSomething, NO_LIMITS, type LimitFields } from './draft.ts';
import { KeyEditing } from './editing.svelte.ts';
import { KeyList } from './keys.svelte.ts';

const TOKENS = '/api/v1/tokens';
const made = { id: 'tok_1', name: 'Script', scopes: ['ai'], token: 'oct_secret', created_at: '', expires_at: '' };
const token = { id: 'tok_1', name: 'Script', scopes: ['ai'], created_at: '', expires_at: '', last_used_at: null };
const limits: KeyLimits = {
  token_id: 'tok_1',
  owner_id: 'usr_1',
  requests_per_minute: 5,
  tokens_per_minute: null,
  concurrency: 2,
  budget: {
    kind: 'key',
    subject: 'tok_1',
    label: null,
    period: 'week',
    amount_usd: '12.5',
    spent_usd: '0',
    reserved_usd: '0',
    begins_at: '',
    begins_anew_at: '',
  },
  models: [],
  used: { requests: 0, tokens: null, calls: 0 },
  changed_by: 'usr_1',
  changed_at: '',
};
const page = (items: unknown[]) => json({ items, next_cursor: null });

async function refusalOf(action: () => Promise<unknown>): Promise<ApiProblem> {
  return action().then(
    () => expect.fail('not refused'),
    (error: ApiProblem) => error,
  );
}

describe('limits in the form', () => {
  it('are what they were when nothing is changed', () => {
    expect(bodyOf(fieldsOf(limits))).toEqual({
      requests_per_minute: 5,
      tokens_per_minute: null,
      concurrency: 2,
      budget: { amount_usd: 12.5, period: 'week' },
      models: [],
    });
    expect(limitsSomething(bodyOf(fieldsOf(limits)))).toBe(true);
    expect(limitsSomething(bodyOf(fieldsOf(null)))).toBe(false);
  });

  it.each<[Partial<LimitFields>, string, string]>([
    [{ requests_per_minute: '1.5' }, 'requests_per_minute', 'must be a whole number'],
    [{ requests_per_minute: '-1' }, 'requests_per_minute', 'must be a whole number'],
    [{ tokens_per_minute: '1000000001' }, 'tokens_per_minute', 'must be from 0 to 1,000,000,000'],
    [{ concurrency: '0' }, 'concurrency', 'must be from 1 to 100,000'],
    [{ budget: '12,50' }, 'budget', 'must be a number, such as 12.50'],
    [{ budget: '1e3' }, 'budget', 'must be a number, such as 12.50'],
    [{ budget: '1000000.01' }, 'budget', 'must be from 0 to 1,000,000'],
    [{ onlySome: true, models: Array.from({ length: 201 }, (_, at) => `m${at}`) }, 'models', 'must be 200 at the most'],
  ])('that are none are told at their field: %j', (wrong, field, detail) => {
    try {
      bodyOf({ ...NO_LIMITS, ...wrong });
      expect.fail('not refused');
    } catch (error) {
      expect((error as ApiProblem).errors).toEqual([{ pointer: `/${field}`, detail }]);
    }
  });
});

describe('a new key', () => {
  const LIMITS = 'PUT /api/v1/ai/keys/tok_1/limits';

  it('is not made while its limits are wrong', async () => {
    const server = new FakeServer();
    const editing = new KeyEditing(null, null);
    editing.limits.concurrency = 'many';
    expect((await refusalOf(() => editing.save())).field('concurrency')).toMatch('whole number');
    expect(server.calls).toEqual([]);
  });

  it('is made once, however often its limits are refused', async () => {
    const refused = problem(400, { errors: [{ pointer: '/models/0', detail: 'is too long' }] });
    const server = new FakeServer().on(`POST ${TOKENS}`, json(made)).on(LIMITS, refused, json(limits));
    const editing = new KeyEditing(null, null);
    Object.assign(editing, { name: ' Script ' });
    Object.assign(editing.limits, { onlySome: true, models: ['lab/*'] });
    expect((await refusalOf(() => editing.save())).field('models')).toBe('is too long');
    expect(editing.made?.token).toBe('oct_secret');
    expect(await editing.save()).toEqual(limits);
    expect(server.calls.map(({ method }) => method)).toEqual(['POST', 'PUT', 'PUT']);
    expect(server.calls[0]!.body).toEqual({ name: 'Script', scopes: ['ai'], expires_in_days: 90 });
  });

  it('without limits has none set', async () => {
    const server = new FakeServer().on(`POST ${TOKENS}`, json(made));
    expect(await new KeyEditing(null, null).save()).toBeNull();
    expect(server.calls).toHaveLength(1);
  });

  it('that is there can have all its limits taken away', async () => {
    const server = new FakeServer().on(LIMITS, json({ ...limits, concurrency: null }));
    const editing = new KeyEditing(token, limits);
    editing.limits = { ...NO_LIMITS };
    await editing.save();
    expect(Object.values(server.calls[0]!.body as object).every((each) => each === null)).toBe(true);
  });
});

describe('the list of keys', () => {
  const serve = () =>
    new FakeServer()
      .on(`GET ${TOKENS}`, page([token]))
      .on('GET /api/v1/ai/keys', page([limits]))
      .on('GET /api/v1/ai/usage', json({ parts: [{ name: 'tok_1', sums: { calls: 3 } }, { name: '', sums: { calls: 9 } }] }));

  it('has those that may ask models, with their limits and what they were used for', async () => {
    const server = serve();
    const list = new KeyList(() => 'usr_1');
    await list.load();
    expect(list.keys).toEqual([{ token, limits, used: { calls: 3 } }]);
    expect(server.calls.find(({ path }) => path.includes('usage'))?.path).toMatch('person=usr_1');
    expect(server.calls.find(({ path }) => path.startsWith(TOKENS))?.path).toMatch('scope=ai');
  });

  it('is there also while nobody knows what is used', async () => {
    serve().on('GET /api/v1/ai/keys', problem(503)).on('GET /api/v1/ai/usage', problem(503));
    const list = new KeyList(() => 'usr_1');
    await list.load();
    expect([list.keys.length, list.keys[0]?.limits, list.limitsProblem?.status]).toEqual([1, null, 503]);
  });

  it('shows the secret of a new one until it is put away, and loses what is revoked', async () => {
    serve().on(`DELETE ${TOKENS}/tok_3`, new Response(null, { status: 204 }));
    const list = new KeyList(() => 'usr_1');
    await list.load();
    list.add({ ...made, id: 'tok_3' }, { ...limits, token_id: 'tok_3' });
    expect([list.fresh?.token, list.keys[0]?.limits?.token_id, JSON.stringify(list.keys)]).toEqual([
      'oct_secret',
      'tok_3',
      expect.not.stringContaining('oct_secret'),
    ]);
    await list.revoke('tok_3');
    expect([list.fresh, list.keys.length]).toEqual([null, 1]);
  });
});

describe('keys of everybody', () => {
  it('are asked for with their limits, and come in place of one\'s own', async () => {
    const server = new FakeServer();
    const other = { ...token, id: 'tok_2', owner_id: 'usr_2', owner_name: 'Bob' };
    server.on(`GET ${TOKENS}`, page([token]), page([token, other]));
    server.on('GET /api/v1/ai/keys', page([]), page([{ ...limits, token_id: 'tok_2' }]));
    server.on('GET /api/v1/ai/usage', json({ parts: [] }));
    const list = new KeyList(() => 'usr_1');
    await list.load();
    expect(list.keys.map((key) => key.token.id)).toEqual(['tok_1']);
    list.turnTo(true);
    await expect.poll(() => list.keys.length).toBe(2);
    expect(list.keys[1]!.limits?.concurrency).toBe(2);
    const asked = server.calls.slice(-3).map(({ path }) => path);
    expect(asked.filter((path) => path.includes('everybody=true'))).toHaveLength(2);
    expect(asked.find((path) => path.includes('/usage'))).not.toContain('person=');
  });
});
