import type { UsageBy } from '#lib/api/ai.ts';

export const RANGES = [
  { value: '7', label: '7 days' },
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
] as const;
export type Range = (typeof RANGES)[number]['value'];

export const MEASURES = ['spend', 'calls', 'tokens', 'latency'] as const;
export type Measure = (typeof MEASURES)[number];

/** What a day is split by; `day` leaves it whole. */
export const SPLITS = ['model', 'provider', 'key', 'person', 'day'] as const satisfies readonly UsageBy[];

export const NARROWINGS = ['provider', 'model', 'key', 'person'] as const;
export type Narrowing = (typeof NARROWINGS)[number];

/** What somebody looks at. The address of the page says all of it. */
export interface UsageWish {
  range: Range;
  show: Measure;
  by: UsageBy;
  /** One's own alone, for those who see everybody's. */
  mine: boolean;
  /** Only the calls of these. */
  only: Readonly<Partial<Record<Narrowing, string>>>;
}

export const START: UsageWish = { range: '30', show: 'spend', by: 'model', mine: false, only: {} };

/** Longer than any name of the server. */
const LONGEST_NAME = 300;

/** Reads an address. What makes no sense in it is as if it were not there. */
export function wishFrom(parameters: Pick<URLSearchParams, 'get'>): UsageWish {
  const named = NARROWINGS.map((each) => [each, parameters.get(each)?.slice(0, LONGEST_NAME)] as const);
  return {
    range: RANGES.find(({ value }) => value === parameters.get('days'))?.value ?? START.range,
    show: MEASURES.find((each) => each === parameters.get('show')) ?? START.show,
    by: SPLITS.find((each) => each === parameters.get('by')) ?? START.by,
    mine: parameters.get('whose') === 'mine',
    only: Object.fromEntries(named.filter(([, name]) => name)),
  };
}

/** The address of a wish: `?days=90&by=person`, or nothing for the one to start with. */
export function addressOf(wish: UsageWish): string {
  const parameters = new URLSearchParams();
  if (wish.range !== START.range) parameters.set('days', wish.range);
  if (wish.show !== START.show) parameters.set('show', wish.show);
  if (wish.by !== START.by) parameters.set('by', wish.by);
  if (wish.mine) parameters.set('whose', 'mine');
  for (const each of NARROWINGS) if (wish.only[each]) parameters.set(each, wish.only[each]);
  const text = parameters.toString();
  return text ? `?${text}` : '';
}

/** What to split by once there is only one of these. */
const NEXT_SPLIT: Record<Narrowing, UsageBy> = { provider: 'model', model: 'day', key: 'model', person: 'model' };

/** The same with the calls of one alone. */
export function narrowed(wish: UsageWish, to: Narrowing, name: string): UsageWish {
  return { ...wish, by: NEXT_SPLIT[to], only: { ...wish.only, [to]: name } };
}

/** The same without such a condition. */
export function widened(wish: UsageWish, from: Narrowing): UsageWish {
  const { [from]: _dropped, ...only } = wish.only;
  return { ...wish, by: from, only };
}

/** The first of so many days that end today, in UTC as the server counts: `2026-11-27`. */
export function firstDay(range: Range, now: Date = new Date()): string {
  const day = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() - Number(range) + 1);
  return new Date(day).toISOString().slice(0, 10);
}
