import { marketplace, type ProjectCard } from '#lib/api/index.ts';

const PLACES = 3;
/** Above the search something that trends keeps a place, however much is featured. */
const MOST_FEATURED_ABOVE = PLACES - 1;

/** What stands out, for those who look for nothing in particular: what is featured, then what trends. */
export class Spotlight {
  /** Null until they are known. When they cannot be had there are none: the list below tells what is wrong. */
  #featured = $state.raw<readonly ProjectCard[] | null>(null);
  #trending = $state.raw<readonly ProjectCard[] | null>(null);

  readonly hasFeatured = $derived((this.#featured?.length ?? 0) > 0);
  /** All of it, each project once. */
  readonly all = $derived(this.#first(PLACES));
  /** As much as there are places for above the search. */
  readonly above = $derived(this.#first(MOST_FEATURED_ABOVE)?.slice(0, PLACES) ?? null);
  readonly places = $derived(Array.from({ length: this.above?.length ?? PLACES }, (_, place) => place));

  async load(): Promise<void> {
    try {
      const [featured, trending] = await Promise.all([
        marketplace.search({ featured: true, sort: 'recent', limit: PLACES }),
        marketplace.search({ sort: 'trending', limit: PLACES }),
      ]);
      this.#featured = featured.items;
      this.#trending = trending.items;
    } catch {
      this.#featured ??= [];
      this.#trending ??= [];
    }
  }

  #first(mostFeatured: number): readonly ProjectCard[] | null {
    if (!this.#featured || !this.#trending) return null;
    const featured = this.#featured.slice(0, mostFeatured);
    const ids = new Set(featured.map((card) => card.id));
    return [...featured, ...this.#trending.filter((card) => !ids.has(card.id))];
  }
}

/** One for all pages, so that it is there at once when somebody comes back. */
export const spotlight = new Spotlight();
