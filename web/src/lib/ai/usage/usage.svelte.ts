import { ai, type AiCall, type CallFilters, type UsageBy, type UsagePart, type UsageReport } from '#lib/api/ai.ts';
import { Paged } from '#lib/api/paged.svelte.ts';
import { asProblem, type ApiProblem } from '#lib/api/problem.ts';
import { shortId } from '#lib/identity/roster.svelte.ts';
import { firstDay, type Narrowing, START, type UsageWish } from './wish.ts';

/** Two reports that belong together: by day, and by what the days are split by; null where they are whole. */
export interface Shown {
  wish: UsageWish;
  days: UsageReport;
  split: UsageReport | null;
}

/** What calls to models took. While another wish is on its way, what is there stays. */
export class Usage {
  status = $state<'loading' | 'ready' | 'failed'>('loading');
  problem = $state.raw<ApiProblem | null>(null);
  shown = $state.raw<Shown | null>(null);
  readonly isEmpty = $derived(this.shown?.days.total.calls === 0);
  readonly calls = new Paged<AiCall>((cursor) => ai.calls({ ...this.#filters(), cursor, limit: 10 }));

  #wish: UsageWish = START;
  readonly #me: () => string | null;
  #asked = '';
  #askedCalls = '';
  #round = 0;

  /** `me`: the id of who looks at the page. */
  constructor(me: () => string | null) {
    this.#me = me;
  }

  /** Asks for what is not there yet. */
  async show(wish: UsageWish): Promise<void> {
    this.#wish = wish;
    const { show: _shown, ...question } = wish;
    const [asked, askedCalls] = [JSON.stringify(question), JSON.stringify(this.#filters())];
    if (asked === this.#asked) return;
    this.#asked = asked;
    if (askedCalls !== this.#askedCalls) void this.calls.reload();
    this.#askedCalls = askedCalls;
    await this.#load();
  }

  /** Everything anew. */
  async reload(): Promise<void> {
    await Promise.all([this.calls.reload(), this.#load()]);
  }

  async #load(): Promise<void> {
    const round = (this.#round += 1);
    const wish = this.#wish;
    const query = { ...this.#filters(), from: firstDay(wish.range) };
    this.status = 'loading';
    this.problem = null;
    try {
      const [days, split] = await Promise.all([
        ai.usage({ ...query, by: 'day' }),
        wish.by === 'day' ? null : ai.usage({ ...query, by: wish.by }),
      ]);
      if (round !== this.#round) return;
      this.shown = { wish, days, split };
      this.status = 'ready';
    } catch (error) {
      if (round !== this.#round) return;
      this.problem = asProblem(error);
      this.status = 'failed';
    }
  }

  /** What somebody or something that is named in the address is called, as far as its calls tell. */
  nameOf(kind: Narrowing, name: string): string {
    const part = this.shown?.split?.parts.find((each) => each.name === name);
    if (part?.label) return part.label;
    if (kind === 'person') return this.calls.items.find((call) => call.person_id === name)?.person_name ?? shortId(name);
    if (kind === 'key') return this.calls.items.find((call) => call.key_id === name)?.key_name ?? shortId(name);
    return name;
  }

  #filters(): CallFilters {
    const { only, mine } = this.#wish;
    return { ...only, person: only.person ?? (mine ? this.#me() : null) };
  }
}

/** What a part of a report is called. */
export function partLabel(by: UsageBy, { name, label }: Pick<UsagePart, 'name' | 'label'>): string {
  if (by !== 'person' && by !== 'key') return name;
  return label ?? (name === '' ? 'Without a key' : shortId(name));
}
