import { ai, type AiLimits, type LimitsBody } from '#lib/api/ai.ts';
import type { Page } from '#lib/api/index.ts';
import { asProblem, type ApiProblem } from '#lib/api/problem.ts';
import { shortId } from '#lib/identity/roster.svelte.ts';
import { many, money, PERIOD_WORDS } from '../words.ts';
import { NUMBER_PLACES, type LimitName } from './numbers.ts';

/** How often a page that is looked at asks what is used. */
export const LOOK_AGAIN_MS = 10_000;
export const EVERYBODY = 'everybody';

/** Everybody, a team or a person with their limits, and how near they are to the nearest of them: 0 to 1, or more. */
export interface LimitRow {
  view: AiLimits;
  name: string;
  near: number;
}

/** All for whom limits are set, and all persons who have asked a model; who is nearest to a limit first. */
export class LimitList {
  status = $state<'loading' | 'ready' | 'failed'>('loading');
  problem = $state.raw<ApiProblem | null>(null);
  wanted = $state('');
  /** What was taken away lately, by whose it was: to be put back. */
  removed = $state.raw<ReadonlyMap<string, LimitsBody>>(new Map());
  #views = $state.raw<readonly AiLimits[]>([]);
  #round = 0;

  readonly everybody = $derived(this.#views.find(({ kind }) => kind === EVERYBODY) ?? null);
  readonly teams = $derived(this.#rows('team'));
  readonly people = $derived(this.#rows('person'));
  readonly found = $derived([...this.teams, ...this.people].filter((row) => fits(row, this.wanted)));

  /** Answers with what ends it. `isStill`: somebody writes, and nothing is to move. */
  open(isStill: () => boolean): () => void {
    void this.load();
    const timer = setInterval(() => {
      const isSeen = document.visibilityState === 'visible' && this.status === 'ready';
      if (isSeen && !isStill()) void this.#refresh().catch(() => undefined);
    }, LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }

  async load(): Promise<void> {
    this.status = 'loading';
    this.problem = null;
    try {
      await this.#refresh();
      this.status = 'ready';
    } catch (error) {
      this.problem = asProblem(error);
      this.status = 'failed';
    }
  }

  /** After limits were set. What everybody has changes what persons have. */
  async take(view: AiLimits): Promise<void> {
    this.#views = [...this.#views.filter(({ whose }) => whose !== view.whose), view];
    this.removed = new Map([...this.removed].filter(([whose]) => whose !== view.whose));
    await this.#refresh().catch(() => undefined);
  }

  async remove(view: AiLimits): Promise<void> {
    const before = ownOf(view);
    await ai.removeLimits(view.whose, view.version);
    this.removed = new Map([...this.removed, [view.whose, before]]);
    await this.#refresh().catch(() => undefined);
  }

  async putBack(view: AiLimits): Promise<void> {
    const before = this.removed.get(view.whose);
    if (before) await this.take(await ai.setLimits(view.whose, before, view.version));
  }

  async #refresh(): Promise<void> {
    const round = (this.#round += 1);
    const views: AiLimits[] = [];
    let cursor: string | null = null;
    do {
      const page: Page<AiLimits> = await ai.limits({ cursor, limit: 200 });
      views.push(...page.items);
      cursor = page.next_cursor;
    } while (cursor);
    // What was set meanwhile is newer than this.
    if (round === this.#round) this.#views = views;
  }

  #rows(kind: AiLimits['kind']): LimitRow[] {
    const rows = this.#views.filter((view) => view.kind === kind);
    return rows
      .map((view) => ({ view, name: nameOf(view), near: nearOf(view) }))
      .toSorted((one, other) => other.near - one.near || one.name.localeCompare(other.name));
  }
}

export function nameOf({ kind, subject, label, email }: AiLimits): string {
  if (kind === 'everybody') return 'Everybody';
  if (kind === 'team') return `Team ${subject}`;
  return label ?? email ?? shortId(subject ?? '');
}

/** What administrators have set for them, as it is sent; of files nothing. */
export function ownOf(view: AiLimits): LimitsBody {
  const own = onlyOwn(view);
  const budget = own.budget.value;
  return {
    requests_per_minute: own.requests_per_minute.value,
    tokens_per_minute: own.tokens_per_minute.value,
    concurrency: own.concurrency.value,
    budget: budget && { amount_usd: Number(budget.amount_usd), period: budget.period },
  };
}

/** A limit in words, such as "60 calls a minute" or "$20.00 a month", and where it is set if a file says it. */
export interface LimitWords {
  text: string;
  place: string | null;
}

/** Those that hold. */
export function wordsOf({ requests_per_minute, tokens_per_minute, concurrency, budget }: AiLimits): LimitWords[] {
  const counted = (limit: AiLimits['concurrency'], one: string, how: string) =>
    limit.value === null ? [] : [{ text: many(limit.value, one) + how, place: placeOf(limit) }];
  const amount = budget.value;
  return [
    ...counted(requests_per_minute, 'call', ' a minute'),
    ...counted(tokens_per_minute, 'token', ' a minute'),
    ...counted(concurrency, 'call', ' at once'),
    ...(amount ? [{ text: `${money(Number(amount.amount_usd))} ${PERIOD_WORDS[amount.period]}`, place: placeOf(budget) }] : []),
  ];
}

/** In short where a file or the environment says it; null where nobody or an administrator does. */
export function placeOf({ layer, place }: { layer: string | null; place: string | null }): string | null {
  if (layer === null || layer === 'database') return null;
  const whole = place || layer;
  // What names the place is at the end of a path.
  return whole.slice(whole.lastIndexOf('/') + 1);
}

/** Of each limit only what administrators have set. */
export function onlyOwn(view: AiLimits): Pick<AiLimits, LimitName> {
  const own = <T extends { layer: string | null }>(limit: T) => (limit.layer === 'database' ? limit : { ...limit, value: null });
  return {
    requests_per_minute: own(view.requests_per_minute),
    tokens_per_minute: own(view.tokens_per_minute),
    concurrency: own(view.concurrency),
    budget: own(view.budget),
  };
}

/** Of the limits that only the operator changes, where they are set. */
export function fixedOf(view: AiLimits | null): Partial<Record<LimitName, string>> {
  const fixed: Partial<Record<LimitName, string>> = {};
  for (const name of NUMBER_PLACES) {
    const place = view && placeOf(view[name]);
    if (place) fixed[name] = `Set in ${place}, which only the operator changes.`;
  }
  return fixed;
}

function nearOf({ requests_per_minute, tokens_per_minute, concurrency, used, standing, spent_usd }: AiLimits): number {
  const share = (taken: number | null, most: number | null) => (most === null ? 0 : most > 0 ? (taken ?? 0) / most : 1);
  return Math.max(
    share(used.requests, requests_per_minute.value),
    share(used.tokens, tokens_per_minute.value),
    share(used.calls, concurrency.value),
    standing ? share(Number(spent_usd ?? standing.spent_usd), Number(standing.amount_usd)) : 0,
  );
}

function fits({ name, view }: LimitRow, wanted: string): boolean {
  const text = wanted.trim().toLowerCase();
  return `${name} ${view.email ?? ''}`.toLowerCase().includes(text);
}
