import { following, type FollowedSearch } from '#lib/api/index.ts';
import type { Wish } from '../search/wish.ts';

/** One person follows up to 50 searches: all of them fit on one page. */
const ALL = 200;

/** The searches that the one who looks follows, by what they ask for. */
export class FollowedSearches {
  #ids = $state.raw<ReadonlyMap<string, string> | null>(null);
  #loading: Promise<void> | null = null;

  /** Whether this search is followed; null while that is not known. */
  has(wish: Wish): boolean | null {
    return this.#ids?.has(printOf(wish)) ?? null;
  }

  /** Throws `ApiProblem`. */
  load(): Promise<void> {
    this.#loading ??= this.#ask().finally(() => (this.#loading = null));
    return this.#loading;
  }

  /** Throws `ApiProblem`. */
  async follow(wish: Wish): Promise<void> {
    const { q, technologies, license, price, tags } = wish;
    const made = await following.followSearch({ q, technologies: [...technologies], license, price, tags: [...tags] });
    this.#ids = new Map([...(this.#ids ?? []), [printOf(wish), made.id]]);
  }

  /** Throws `ApiProblem`. */
  async unfollow(wish: Wish): Promise<void> {
    const print = printOf(wish);
    const id = this.#ids?.get(print);
    if (id === undefined) return;
    await following.unfollowSearch(id);
    this.#ids = new Map([...(this.#ids ?? [])].filter(([other]) => other !== print));
  }

  async #ask(): Promise<void> {
    const { items } = await following.searches({ limit: ALL });
    this.#ids = new Map(items.map((search) => [printOf(wishOf(search)), search.id]));
  }
}

export const wishOf = ({ q, technologies, license, price, tags }: FollowedSearch): Wish => ({
  q,
  technologies,
  license,
  price,
  tags,
  sort: 'relevance',
});

/** The same for searches that ask for the same, as the server tells them apart: without case, in any order. */
function printOf({ q, technologies, tags, license, price }: Wish): string {
  const words = q.trim().split(/\s+/).join(' ');
  return JSON.stringify([words, [...technologies].sort(), [...tags].sort(), license ?? '', price]).toLowerCase();
}
