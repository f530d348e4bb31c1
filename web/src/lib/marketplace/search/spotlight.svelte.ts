import { marketplace, type ProjectCard } from '#lib/api/index.ts';

const PLACES = 3;

/** What stands out, for those who look for nothing in particular. */
export class Spotlight {
  /** Null until it is known. When it cannot be had there is none: the list below tells what is wrong. */
  trending = $state.raw<readonly ProjectCard[] | null>(null);
  readonly places = $derived(Array.from({ length: this.trending?.length ?? PLACES }, (_, place) => place));

  async load(): Promise<void> {
    try {
      this.trending = (await marketplace.search({ sort: 'trending', limit: PLACES })).items;
    } catch {
      this.trending ??= [];
    }
  }
}

/** One for all pages, so that it is there at once when somebody comes back. */
export const spotlight = new Spotlight();
