import { describe, expect, it } from 'vitest';
import type { AiLimits } from '#lib/api/ai.ts';
import { ApiProblem } from '#lib/api/problem.ts';
import { FakeServer, json, problem } from '../../../../test/fake-server.ts';
import { LimitEditing } from './editing.svelte.ts';
import { fixedOf, LimitList, onlyOwn, ownOf, wordsOf } from './limits.svelte.ts';

const LIMITS = '/api/v1/ai/limits';
const none = { value: null, layer: null, place: null };
const stored = { layer: 'database', place: 'database' };
const file = { layer: 'named', place: '/srv/opencode.json:4:3' };

function view(whose: string, fields: Partial<AiLimits> = {}): AiLimits {
  const [kind, subject] = whose.split(':') as [AiLimits['kind'], string | undefined];
  return {
    whose,
    kind,
    subject: subject ?? null,
    label: kind === 'person' ? subject! : null,
    email: null,
    exists: true,
    requests_per_minute: none,
    tokens_per_minute: none,
    concurrency: none,
    budget: none,
    used: { requests: null, tokens: null, calls: null },
    standing: null,
    spent_usd: kind === 'person' ? '0' : null,
    changed_by: null,
    changed_at: null,
    version: '0',
    ...fields,
  };
}

function budgeted(whose: string, spent_usd: string): AiLimits {
  const standing = {
    kind: 'person',
    subject: whose,
    label: null,
    period: 'month',
    amount_usd: '10',
    spent_usd: '0',
    reserved_usd: '0',
    begins_at: '',
    begins_anew_at: '',
  } as const;
  return view(whose, { budget: { value: { amount_usd: '10', period: 'month' }, ...stored }, standing, spent_usd });
}

const page = (items: AiLimits[], next_cursor: string | null = null) => json({ items, next_cursor });

describe('the list', () => {
  it('has everybody apart, and first whoever is nearest to a limit', async () => {
    const server = new FakeServer();
    const busy = view('team:red', { concurrency: { value: 4, ...file }, used: { requests: null, tokens: null, calls: 2 } });
    server.on(
      `GET ${LIMITS}`,
      page([view('everybody'), busy, budgeted('person:Ann', '1')], 'more'),
      page([budgeted('person:Bob', '9.5'), view('person:Cy')]),
    );
    const list = new LimitList();
    await list.load();
    expect(list.everybody?.whose).toBe('everybody');
    expect(list.found.map(({ name }) => name)).toEqual(['Team red', 'Bob', 'Ann', 'Cy']);
    list.wanted = ' BO';
    expect(list.found.map(({ name }) => name)).toEqual(['Bob']);
    expect(server.calls[1]!.path).toContain('cursor=more');
  });

  it('puts back what was taken away', async () => {
    const server = new FakeServer();
    const ann = budgeted('person:Ann', '1');
    const without = view('person:Ann');
    server.on(`GET ${LIMITS}`, page([view('everybody'), { ...ann, version: 'lim_1' }]), page([view('everybody'), without]), page([view('everybody'), ann]));
    server.on(`DELETE ${LIMITS}/person%3AAnn`, new Response(null, { status: 204 }));
    server.on(`PUT ${LIMITS}/person%3AAnn`, json(ann));
    const list = new LimitList();
    await list.load();
    await list.remove(list.people[0]!.view);
    expect(server.calls[1]!.headers['if-match']).toBe('"lim_1"');
    expect(list.removed.has('person:Ann')).toBe(true);
    await list.putBack(list.people[0]!.view);
    const put = server.calls.find(({ method }) => method === 'PUT')!;
    expect(put.body).toEqual({ requests_per_minute: null, tokens_per_minute: null, concurrency: null, budget: { amount_usd: 10, period: 'month' } });
    expect(put.headers['if-match']).toBe('"0"');
    expect(list.removed.size).toBe(0);
  });
});

describe('words of limits', () => {
  const mixed = view('everybody', {
    requests_per_minute: { value: 1200, ...file },
    concurrency: { value: 1, ...stored },
    budget: { value: { amount_usd: '0.5', period: 'day' }, ...stored },
  });

  it('tell what holds, what is set here, and what only the operator changes', () => {
    expect(wordsOf(mixed)).toEqual([
      { text: '1,200 calls a minute', place: 'opencode.json:4:3' },
      { text: '1 call at once', place: null },
      { text: '$0.50 a day', place: null },
    ]);
    expect(wordsOf({ ...mixed, ...onlyOwn(mixed) })).toHaveLength(2);
    expect(fixedOf(mixed)).toEqual({ requests_per_minute: 'Set in opencode.json:4:3, which only the operator changes.' });
    expect(ownOf(mixed).requests_per_minute).toBe(null);
  });
});

describe('limits in the form', () => {
  async function refusalOf(editing: LimitEditing): Promise<ApiProblem> {
    return editing.save().then(
      () => expect.fail('not refused'),
      (error: ApiProblem) => error,
    );
  }

  it('are sent without those of a file, which are shown', async () => {
    const server = new FakeServer();
    const before = view('team:red', { requests_per_minute: { value: 5, ...file }, concurrency: { value: 2, ...stored }, version: 'lim_1' });
    server.on(`PUT ${LIMITS}/team%3Ared`, json(before));
    const editing = new LimitEditing(before);
    expect(editing.limits).toMatchObject({ requests_per_minute: '5', concurrency: '2', budget: '' });
    editing.limits.budget = '20';
    await editing.save();
    expect(server.calls[0]!.body).toEqual({
      requests_per_minute: null,
      tokens_per_minute: null,
      concurrency: 2,
      budget: { amount_usd: 20, period: 'month' },
    });
    expect(server.calls[0]!.headers['if-match']).toBe('"lim_1"');
  });

  it('of a person with those of everybody show only what is their own', () => {
    const ann = view('person:Ann', { requests_per_minute: { value: 60, layer: null, place: null }, concurrency: { value: 2, ...stored } });
    expect(new LimitEditing(ann).limits).toMatchObject({ requests_per_minute: '', concurrency: '2' });
  });

  it('tell a wrong number and a wrong address at their fields, before anything is sent', async () => {
    const server = new FakeServer();
    const editing = new LimitEditing(null);
    editing.limits.budget = '12,50';
    editing.email = 'ada';
    const { errors } = await refusalOf(editing);
    expect(errors.map(({ pointer }) => pointer)).toEqual(['/budget', '/email']);
    expect(server.calls).toEqual([]);
  });

  it('tell that nobody has the address', async () => {
    const server = new FakeServer();
    server.on(`PUT ${LIMITS}/person%3Aada%40example.org`, problem(404));
    const editing = new LimitEditing(null);
    editing.email = ' ada@example.org ';
    expect((await refusalOf(editing)).field('email')).toBe('is of no account here');
  });

  it('that somebody else changed are looked at before they are replaced, and what was left alone is taken over', async () => {
    const server = new FakeServer();
    const now = view('person:Ann', { concurrency: { value: 9, ...stored }, requests_per_minute: { value: 7, ...stored }, version: 'lim_2' });
    server.on(`PUT ${LIMITS}/person%3AAnn`, problem(412), json(now));
    server.on(`GET ${LIMITS}/person%3AAnn`, json(now));
    const editing = new LimitEditing(view('person:Ann', { concurrency: { value: 2, ...stored }, version: 'lim_1' }));
    editing.limits.concurrency = '3';
    expect(await editing.save()).toBe(null);
    expect(editing.meeting).toEqual(now);
    expect(editing.limits).toMatchObject({ concurrency: '3', requests_per_minute: '7' });
    await editing.save();
    expect(server.calls.at(-1)!.headers['if-match']).toBe('"lim_2"');
    expect(server.calls.at(-1)!.body).toMatchObject({ concurrency: 3, requests_per_minute: 7 });
  });

  it('of somebody who has some already are not overwritten unseen', async () => {
    const server = new FakeServer();
    const now = view('person:Ann', { budget: { value: { amount_usd: '5', period: 'day' }, ...stored }, version: 'lim_2' });
    server.on(`PUT ${LIMITS}/person%3Aann%40example.org`, problem(412));
    server.on(`GET ${LIMITS}/person%3Aann%40example.org`, json(now));
    const editing = new LimitEditing(null);
    editing.email = 'ann@example.org';
    editing.limits.concurrency = '3';
    expect(await editing.save()).toBe(null);
    expect(server.calls[0]!.headers['if-match']).toBe('"0"');
    expect(editing.limits).toMatchObject({ concurrency: '3', budget: '5', period: 'day' });
    expect(editing.isNew).toBe(false);
  });
});
