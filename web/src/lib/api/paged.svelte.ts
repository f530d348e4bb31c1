import { asProblem, type ApiProblem } from './problem.ts';
import type { Page } from './types.ts';

export type PagedStatus = 'loading' | 'ready' | 'failed';

/** A list that the server hands out page by page. What is already there stays when the next page fails. */
export class Paged<T extends { id: string }> {
  items = $state.raw<readonly T[]>([]);
  status = $state<PagedStatus>('loading');
  problem = $state.raw<ApiProblem | null>(null);
  #cursor = $state<string | null>(null);
  #started = $state(false);
  readonly hasMore = $derived(this.#started && this.#cursor !== null);
  readonly isEmpty = $derived(this.status === 'ready' && this.items.length === 0 && !this.hasMore);

  readonly #fetch: (cursor: string | null) => Promise<Page<T>>;
  #round = 0;
  #busy = false;

  constructor(fetch: (cursor: string | null) => Promise<Page<T>>) {
    this.#fetch = fetch;
  }

  /** From the beginning; used for the first time, too. */
  async reload(): Promise<void> {
    this.#round += 1;
    this.#busy = false;
    await this.#take(null, (page) => page);
  }

  /** The next page, if there is one and none is on its way. */
  async more(): Promise<void> {
    if (this.#busy || !this.hasMore) return;
    await this.#take(this.#cursor, (page) => [...this.items, ...page]);
  }

  /** All that is left, for a search that must not miss anything. */
  async rest(): Promise<void> {
    const round = this.#round;
    while (this.hasMore && !this.#busy && round === this.#round && this.status !== 'failed') await this.more();
  }

  /** As before the first page: for a list that will be another one. */
  clear(): void {
    this.#round += 1;
    this.#busy = false;
    this.items = [];
    this.#cursor = null;
    this.#started = false;
    this.status = 'loading';
  }

  replace(item: T): void {
    this.items = this.items.map((other) => (other.id === item.id ? item : other));
  }

  remove(id: string): void {
    this.items = this.items.filter((item) => item.id !== id);
  }

  prepend(item: T): void {
    this.insert(item, 0);
  }

  /** Puts it before what is at this place now. */
  insert(item: T, index: number): void {
    this.items = [...this.items.slice(0, index), item, ...this.items.slice(index)];
  }

  async #take(cursor: string | null, join: (page: T[]) => readonly T[]): Promise<void> {
    const round = this.#round;
    this.#busy = true;
    this.status = 'loading';
    this.problem = null;
    try {
      const page = await this.#fetch(cursor);
      if (round !== this.#round) return;
      this.items = join(page.items);
      this.#cursor = page.next_cursor;
      this.#started = true;
      this.status = 'ready';
    } catch (error) {
      if (round !== this.#round) return;
      this.problem = asProblem(error);
      this.status = 'failed';
    } finally {
      if (round === this.#round) this.#busy = false;
    }
  }
}
