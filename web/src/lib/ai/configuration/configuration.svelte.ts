import { ai, type AiConfiguration, type ConfigurationValue } from '#lib/api/ai.ts';
import { Paged } from '#lib/api/paged.svelte.ts';
import { asProblem, type ApiProblem } from '#lib/api/problem.ts';

export type ListedValue = ConfigurationValue & { id: string };

/** What is in force, and where each value of it comes from. */
export class ConfigurationShown {
  configuration = $state.raw<AiConfiguration | null>(null);
  problem = $state.raw<ApiProblem | null>(null);
  readonly values = new Paged<ListedValue>(async (cursor) => {
    const { items, next_cursor } = await ai.values({ cursor, limit: 200 });
    return { items: items.map((each) => ({ ...each, id: each.path })), next_cursor };
  });
  #wanted = $state('');
  readonly found = $derived(matching(this.values.items, this.#wanted));

  get wanted(): string {
    return this.#wanted;
  }

  /** Looks in all values, so those that have not come yet are fetched. */
  set wanted(words: string) {
    this.#wanted = words;
    if (words !== '') void this.values.rest();
  }

  async load(): Promise<void> {
    this.problem = null;
    try {
      [this.configuration] = await Promise.all([ai.configuration(), this.values.reload()]);
    } catch (error) {
      this.problem = asProblem(error);
    }
  }
}

/** Those whose path, value or place has what is looked for. */
export function matching<T extends ConfigurationValue>(values: readonly T[], wanted: string): readonly T[] {
  const word = wanted.trim().toLowerCase();
  if (word === '') return values;
  return values.filter(({ path, value, place }) =>
    [path, written(value), place].some((text) => text.toLowerCase().includes(word)),
  );
}

export function written(value: unknown): string {
  return JSON.stringify(value) ?? '';
}
