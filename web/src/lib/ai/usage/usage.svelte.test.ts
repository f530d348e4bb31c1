import { describe, expect, it } from 'vitest';
import type { UsagePart, UsageReport, UsageSums } from '#lib/api/ai.ts';
import { FakeServer, json, problem } from '../../../../test/fake-server.ts';
import { BudgetList, nameOfBudget } from './budgets.svelte.ts';
import { outcome, remarks } from './calls.ts';
import { axisTop, bandAt, seriesOf, shares, sparks, stacked, stretches } from './series.ts';
import { partLabel, Usage } from './usage.svelte.ts';
import { addressOf, firstDay, narrowed, START, widened, wishFrom, type UsageWish } from './wish.ts';

const sums = (cost_usd: string, calls = 1, errors = 0): UsageSums => ({
  calls,
  errors,
  input_tokens: calls * 10,
  output_tokens: calls,
  cached_tokens: 0,
  cost_usd,
  latency_mean_ms: null,
  latency_p50_ms: null,
  latency_p95_ms: null,
});
const part = (name: string, costs: string[] = [], total = costs[0] ?? '0'): UsagePart => ({
  name,
  label: null,
  sums: sums(total, costs.length),
  calls_by_day: costs.map(() => 1),
  tokens_by_day: costs.map(() => 11),
  cost_usd_by_day: costs,
});
const report = (parts: UsagePart[]): UsageReport => ({
  first_day: '2026-11-26',
  last_day: '2026-11-27',
  by: 'day',
  total: sums('3', 5, 2),
  parts,
});
const named = (each: { name: string }) => each.name;

describe('the address of the page', () => {
  it('says what is looked at, and nothing of what goes without saying', () => {
    const wish: UsageWish = { range: '90', show: 'tokens', by: 'person', mine: true, only: { model: 'lab/a b&c' } };
    expect(addressOf(START)).toBe('');
    expect(wishFrom(new URLSearchParams(addressOf(wish)))).toEqual(wish);
  });

  it('is taken as if what makes no sense in it were not there', () => {
    const odd = new URLSearchParams('days=31&show=money&by=team&whose=hers&model=&key=' + 'x'.repeat(999));
    expect(wishFrom(odd)).toEqual({ ...START, only: { key: 'x'.repeat(300) } });
  });

  it('goes to the calls of one, and back', () => {
    const lab = narrowed({ ...START, by: 'provider' }, 'provider', 'lab');
    expect(lab).toMatchObject({ by: 'model', only: { provider: 'lab' } });
    const small = narrowed(lab, 'model', 'lab/small');
    expect(small).toMatchObject({ by: 'day', only: { provider: 'lab', model: 'lab/small' } });
    expect(widened(small, 'model')).toEqual(lab);
  });

  it('counts days as the server does', () => {
    expect(firstDay('7', new Date('2026-03-01T00:30:00+02:00'))).toBe('2026-02-22');
  });
});

describe('what is drawn', () => {
  it('has the largest parts first and the rest as one, to the last digit', () => {
    const days = report([
      { ...part('2026-11-26'), sums: sums('0.6') },
      { ...part('2026-11-27'), sums: sums('2.8') },
    ]);
    const parts = ['0.1', '0.2', '0.3', '0.4', '0.5', '0.6', '0.7'].map((cost, at) => part(`m${at}`, ['0', cost], cost));
    const series = seriesOf('spend', days, report(parts), named);
    expect(series.map(({ label, total }) => [label, Number(total.toFixed(6))])).toEqual([
      ['m6', 0.7],
      ['m5', 0.6],
      ['m4', 0.5],
      ['m3', 0.4],
      ['m2', 0.3],
      ['Others', 0.9],
    ]);
    const exact = report([part('a', ['0.6', '0.1'], '0.7'), part('free', ['0', '0'], '0')]);
    const whole = report([
      { ...part('2026-11-26'), sums: sums('0.6') },
      { ...part('2026-11-27'), sums: sums('0.1') },
    ]);
    expect(seriesOf('spend', whole, exact, named).map(named)).toEqual(['a']);
  });

  it('has the natural parts of days that are not split', () => {
    const days = report([{ ...part('2026-11-26'), sums: sums('1', 5, 2) }]);
    const told = (show: 'spend' | 'calls' | 'tokens') => seriesOf(show, days, null, named).map(({ label, values }) => [label, ...values]);
    expect(told('spend')).toEqual([['All calls', 1]]);
    expect(told('calls')).toEqual([['Answered', 3], ['Broke off', 2]]);
    expect(told('tokens')).toEqual([['Input', 50], ['Output', 5]]);
  });

  it('stands on each other, below a round top', () => {
    const series = seriesOf('tokens', report([{ ...part('x'), sums: sums('1', 2) }]), null, named);
    expect(stacked(series, 0)).toEqual([
      { from: 0, to: 20 },
      { from: 20, to: 22 },
    ]);
    expect([0, 1, 3, 7, 22, 210, 1_000].map((most) => axisTop(most, true))).toEqual([2, 2, 4, 8, 30, 250, 1_000]);
    expect([0, 0.38, 0.0021, 6].map((most) => axisTop(most, false))).toEqual([1, 0.4, 0.0025, 6]);
    expect(shares([0, 0])).toEqual([0, 0]);
    expect(shares([1, 4])).toEqual([0.25, 1]);
  });

  it('is a line where days have a value, and the day under the pointer', () => {
    expect(stretches([null, 1, 2, null, 3]).map((each) => each.map(({ place }) => place))).toEqual([[1, 2], [4]]);
    expect([-0.1, 0, 0.49, 1].map((share) => bandAt(share, 2))).toEqual([0, 0, 0, 1]);
  });
});

it('a day without calls is a gap in the small plot, and not an answer in no time', () => {
  expect(sparks([null, 2, 4, null, 1])).toEqual([
    { line: '25,16 50,0 50,0', area: '25,32 25,16 50,0 50,0 50,32' },
    { line: '100,24 100,24', area: '100,32 100,24 100,24 100,32' },
  ]);
  expect(sparks([0, 0]).map(({ line }) => line)).toEqual(['0,32 100,32 100,32']);
});

describe('usage', () => {
  const USAGE = 'GET /api/v1/ai/usage';
  const CALLS = 'GET /api/v1/ai/calls';
  const nothing = json({ items: [], next_cursor: null });
  const asked = (server: FakeServer) => server.calls.map(({ path }) => path.replace('/api/v1/ai/', ''));

  it('is asked for once, and not again for another measure', async () => {
    const server = new FakeServer().on(USAGE, json(report([]))).on(CALLS, nothing);
    const usage = new Usage(() => 'usr_me');
    await usage.show({ ...START, mine: true, only: { model: 'lab/small' } });
    await usage.show({ ...START, mine: true, only: { model: 'lab/small' }, show: 'calls' });
    const from = firstDay('30');
    expect(asked(server)).toEqual([
      'calls?model=lab%2Fsmall&person=usr_me&limit=10',
      `usage?model=lab%2Fsmall&person=usr_me&from=${from}&by=day`,
      `usage?model=lab%2Fsmall&person=usr_me&from=${from}&by=model`,
    ]);
    await usage.show({ ...START, mine: true, only: { model: 'lab/small' }, by: 'day' });
    expect(asked(server).slice(3)).toEqual([`usage?model=lab%2Fsmall&person=usr_me&from=${from}&by=day`]);
    expect(usage.shown?.split).toBeNull();
  });

  it('stays while another range fails, and comes when it is tried again', async () => {
    new FakeServer().on(USAGE, json(report([])), json(report([])), problem(503), problem(503), json(report([]))).on(CALLS, nothing);
    const usage = new Usage(() => null);
    await usage.show(START);
    await usage.show({ ...START, range: '7' });
    expect([usage.status, usage.problem?.status, usage.shown?.wish.range]).toEqual(['failed', 503, '30']);
    await usage.reload();
    expect([usage.status, usage.problem, usage.shown?.wish.range]).toEqual(['ready', null, '7']);
  });

  it('is of the last wish, whichever answer comes last', async () => {
    let answerFirst = (_response: Response) => {};
    const late = () => new Promise<Response>((resolve) => (answerFirst = resolve));
    new FakeServer().on(USAGE, late, json(report([]))).on(CALLS, nothing);
    const usage = new Usage(() => null);
    const first = usage.show({ ...START, by: 'day' });
    await usage.show({ ...START, by: 'day', range: '90' });
    answerFirst(json(report([])));
    await first;
    expect(usage.shown?.wish.range).toBe('90');
  });

  it('calls what has no name by its end', () => {
    expect(partLabel('person', { name: 'usr_01M84DG57H2C2P1J2SMFX83P8D', label: null })).toBe('usr_…X83P8D');
    expect(partLabel('key', { name: '', label: null })).toBe('Without a key');
    expect(partLabel('provider', { name: 'my_own_laboratory', label: null })).toBe('my_own_laboratory');
  });

  it('tells what became of a call', () => {
    expect([200, 499, 502, 429, null].map((status) => outcome({ status }).words)).toEqual([
      'Answered',
      'Left',
      'Broke off',
      'Refused',
      'Cut off',
    ]);
    expect(remarks({ flags: ['stream', 'cached', 'unheard_of'] })).toEqual(['from the cache']);
    expect(remarks({ flags: ['cached', 'semantic'] })).toEqual(['from the cache', 'of a question like it']);
    expect(remarks({ flags: ['retried'] })).toEqual(['not at the first try']);
  });
});

it('budgets that are nearest to their end come first, under names that people know', async () => {
  const budget = (subject: string, spent_usd: string, amount_usd = '10') => ({ kind: 'team', subject, label: null, spent_usd, amount_usd });
  new FakeServer().on('GET /api/v1/ai/budgets', json({ items: [budget('a', '1'), budget('b', '9'), budget('none', '0', '0')], next_cursor: null }));
  const budgets = new BudgetList();
  await budgets.load(true);
  expect(budgets.items.map((each) => nameOfBudget(each, true))).toEqual(['Team none', 'Team b', 'Team a']);
  const ada = { ...budgets.items[0]!, kind: 'person' as const, label: 'Ada' };
  expect([nameOfBudget(ada, false), nameOfBudget(ada, true), nameOfBudget({ ...ada, kind: 'key' }, false)]).toEqual(['You', 'Ada', 'Key Ada']);
});
