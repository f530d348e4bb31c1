import { asProblem, marketplace, type ApiProblem, type Facets, type FoundCard, type FoundProjects } from '#lib/api/index.ts';
import { addressOf, EVERYTHING, type Wish } from './wish.ts';

/** Rows of the first page, which fills a screen; those that follow are bigger. The server's most is 200. */
const FIRST_PAGE = 50;
const NEXT_PAGE = 100;
const BIGGEST_PAGE = 200;
/** Searches whose rows stay in memory, so that going back finds them as they were. */
const KEPT = 12;

/** What a search has found so far. */
export interface Results {
  items: readonly FoundCard[];
  cursor: string | null;
  total: number;
  facets: Facets;
  corrected: string | null;
}

export type SearchStatus = 'loading' | 'ready' | 'failed';

/** The search of the catalogue: one wish at a time, its rows page by page. */
export class ProjectSearch {
  wish = $state.raw<Wish>(EVERYTHING);
  /** Those of the wish before stay until the first new ones are here. */
  results = $state.raw<Results | null>(null);
  status = $state<SearchStatus>('loading');
  problem = $state.raw<ApiProblem | null>(null);
  /** Why the next page did not come; the rows before it stay. */
  nextProblem = $state.raw<ApiProblem | null>(null);
  readonly hasMore = $derived(this.status === 'ready' && this.results?.cursor != null);

  readonly #kept = new Map<string, Results>();
  #address: string | null = null;
  #isOld = false;
  #first: AbortController | null = null;
  #loading: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;
  #again: ReturnType<typeof setTimeout> | undefined;

  /** Looks for this. `remembered`: rows that were found a while ago will do, as when somebody goes back. */
  show(wish: Wish, { remembered = false } = {}): Promise<void> {
    const address = addressOf(wish);
    const isShown = address === this.#address && this.status !== 'failed';
    const known = remembered ? this.#kept.get(address) : undefined;
    this.wish = wish;
    this.#isOld = isShown || known !== undefined;
    if (isShown) return Promise.resolve();
    this.#address = address;
    this.#leave();
    if (!known) return this.#begin();
    this.#take(address, known);
    return Promise.resolve();
  }

  /** For somebody who comes anew, not back: what is only remembered is asked for again. */
  freshen(): Promise<void> {
    return this.#isOld ? this.reload() : Promise.resolve();
  }

  /** From the beginning, because it failed or may be out of date. */
  reload(): Promise<void> {
    this.#isOld = false;
    this.#leave();
    return this.#begin();
  }

  /** When the first page is here, or has failed. */
  settled(): Promise<void> {
    return this.#loading;
  }

  /** The next page, if there is one; many callers get the same one. */
  more(limit = NEXT_PAGE): Promise<void> {
    if (!this.hasMore) return Promise.resolve();
    this.#next ??= this.#loadNext(limit).finally(() => (this.#next = null));
    return this.#next;
  }

  /** Loads until there are so many rows, for somebody who comes back to one of them. */
  async reach(count: number): Promise<void> {
    const address = this.#address;
    while (this.hasMore && (this.results?.items.length ?? 0) < count && !this.nextProblem && address === this.#address) {
      await this.more(BIGGEST_PAGE);
    }
  }

  /** After a change of one's own, nothing that was found before is to be shown again. */
  forget(): void {
    this.#kept.clear();
    this.#address = null;
  }

  #leave(): void {
    this.#first?.abort();
    clearTimeout(this.#again);
    this.nextProblem = null;
  }

  #begin(): Promise<void> {
    this.#loading = this.#load();
    return this.#loading;
  }

  async #load(): Promise<void> {
    const address = this.#address;
    const asked = new AbortController();
    this.#first = asked;
    this.status = 'loading';
    this.problem = null;
    try {
      const found = await marketplace.search({ ...this.wish, limit: FIRST_PAGE }, asked.signal);
      // An answer that was on its way when the next question was asked says nothing any more.
      if (this.#first === asked && address !== null) this.#take(address, resultsOf(found));
    } catch (error) {
      if (this.#first !== asked || asked.signal.aborted) return;
      this.#fail(asProblem(error));
    }
  }

  #fail(problem: ApiProblem): void {
    this.problem = problem;
    this.status = 'failed';
    this.results = null;
    // A server that has just started says when it will be ready.
    if (problem.status === 503 && problem.retryAfter) {
      this.#again = setTimeout(() => void this.reload(), problem.retryAfter * 1000);
    }
  }

  async #loadNext(limit: number): Promise<void> {
    const before = this.results;
    const address = this.#address;
    if (!before || address === null) return;
    this.nextProblem = null;
    try {
      const found = await marketplace.search({ ...this.wish, limit, cursor: before.cursor });
      if (this.results !== before) return;
      this.#take(address, { ...before, items: [...before.items, ...found.items], cursor: found.next_cursor });
    } catch (error) {
      if (this.results === before) this.nextProblem = asProblem(error);
    }
  }

  #take(address: string, results: Results): void {
    this.results = results;
    this.status = 'ready';
    this.problem = null;
    this.#kept.delete(address);
    this.#kept.set(address, results);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT && oldest !== undefined) this.#kept.delete(oldest);
  }
}

function resultsOf({ items, next_cursor, total, facets, corrected }: FoundProjects): Results {
  return { items, cursor: next_cursor, total, facets, corrected };
}

/** One for the whole page, so that coming back from a project finds the list as it was. */
export const projectSearch = new ProjectSearch();
