import { marketplace } from '#lib/api/index.ts';

/** The words that projects here already have, the most frequent first. Without them, one still types one's own. */
export class Suggestions {
  technologies = $state.raw<readonly string[]>([]);
  tags = $state.raw<readonly string[]>([]);

  async load(): Promise<void> {
    try {
      const { facets } = await marketplace.search({ limit: 1 });
      this.technologies = facets.technologies.map(({ value }) => value);
      this.tags = facets.tags.map(({ value }) => value);
    } catch {
      this.technologies = [];
    }
  }
}
