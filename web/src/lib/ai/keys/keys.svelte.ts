import { ai, type KeyLimits, type UsageSums } from '#lib/api/ai.ts';
import { identity, type NewToken, type Page, type Token } from '#lib/api/index.ts';
import { asProblem, type ApiProblem } from '#lib/api/problem.ts';
import { firstDay } from '../usage/wish.ts';

/** How often a page that is looked at asks what is used. */
export const LOOK_AGAIN_MS = 10_000;
/** The days of which is told what a key was used for. */
export const TOLD_DAYS = '30';

export interface AiKey {
  token: Token;
  /** Null where nothing is set. */
  limits: KeyLimits | null;
  /** In the last days; null for nothing, and while it is not known. */
  used: UsageSums | null;
}

/** Tokens that may ask models, one's own or everybody's, with their limits and what is used of them. */
export class KeyList {
  status = $state<'loading' | 'ready' | 'failed'>('loading');
  problem = $state.raw<ApiProblem | null>(null);
  /** Why it is not known what is used now. */
  limitsProblem = $state.raw<ApiProblem | null>(null);
  /** The one just made, with its secret; gone for ever once it is put away. */
  fresh = $state.raw<NewToken | null>(null);
  #tokens = $state.raw<readonly Token[]>([]);
  #limits = $state.raw<ReadonlyMap<string, KeyLimits>>(new Map());
  #used = $state.raw<ReadonlyMap<string, UsageSums>>(new Map());

  readonly keys = $derived<readonly AiKey[]>(
    this.#tokens.map((token) => ({
      token,
      limits: this.#limits.get(token.id) ?? null,
      used: this.#used.get(token.id) ?? null,
    })),
  );
  readonly isEmpty = $derived(this.status === 'ready' && this.#tokens.length === 0);
  /** For administrators: the keys of all accounts. */
  everybody = $state(false);
  readonly #me: () => string | null;
  #round = 0;

  /** `me`: the id of who looks at the page. */
  constructor(me: () => string | null) {
    this.#me = me;
  }

  /** Answers with what ends it. */
  open(): () => void {
    void this.load();
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible' && this.#limits.size > 0) void this.#loadLimits();
    }, LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }

  async load(): Promise<void> {
    const round = (this.#round += 1);
    this.status = 'loading';
    this.problem = null;
    try {
      const { everybody } = this;
      const [tokens] = await Promise.all([
        all((cursor) => identity.tokens({ cursor, limit: 200, scope: 'ai', everybody })),
        this.#loadLimits(),
        this.#loadUsed(),
      ]);
      if (round !== this.#round) return;
      this.#tokens = tokens;
      this.status = 'ready';
    } catch (error) {
      if (round !== this.#round) return;
      this.problem = asProblem(error);
      this.status = 'failed';
    }
  }

  turnTo(everybody: boolean): void {
    this.everybody = everybody;
    this.#tokens = [];
    this.putAway();
    void this.load();
  }

  /** After a key was made; its secret is shown until it is put away. */
  add(made: NewToken, limits: KeyLimits | null): void {
    const { token: _secret, ...listed } = made;
    this.fresh = made;
    if (!this.#tokens.some(({ id }) => id === made.id)) this.#tokens = [{ ...listed, last_used_at: null }, ...this.#tokens];
    if (limits) this.take(limits);
  }

  take(limits: KeyLimits): void {
    this.#limits = new Map([...this.#limits, [limits.token_id, limits]]);
  }

  putAway(): void {
    this.fresh = null;
  }

  async revoke(id: string): Promise<void> {
    await identity.revokeToken(id);
    this.#tokens = this.#tokens.filter((token) => token.id !== id);
    if (this.fresh?.id === id) this.putAway();
  }

  async #loadLimits(): Promise<void> {
    try {
      const limits = await all((cursor) => ai.keys({ cursor, limit: 200, everybody: this.everybody }));
      this.#limits = new Map(limits.map((each) => [each.token_id, each]));
      this.limitsProblem = null;
    } catch (error) {
      this.limitsProblem = asProblem(error);
    }
  }

  async #loadUsed(): Promise<void> {
    try {
      const { parts } = await ai.usage({ by: 'key', from: firstDay(TOLD_DAYS), person: this.everybody ? null : this.#me() });
      this.#used = new Map(parts.map(({ name, sums }) => [name, sums]));
    } catch {
      // The page Usage tells it, and why it does not.
    }
  }
}

async function all<T>(fetch: (cursor: string | null) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<T> = await fetch(cursor);
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return items;
}
