import { ai, type AiModel } from '#lib/api/ai.ts';
import { Paged } from '#lib/api/paged.svelte.ts';

export type ListedModel = AiModel & { id: string };

/** The models that somebody may use, and those of them whose names have what is looked for. */
export class ModelList {
  readonly paged = new Paged<ListedModel>(async (cursor) => {
    const { items, next_cursor } = await ai.models({ cursor, limit: 200 });
    return { items: items.map((each) => ({ ...each, id: each.name })), next_cursor };
  });
  #wanted = $state('');

  readonly found = $derived(named(this.paged.items, this.#wanted));

  get wanted(): string {
    return this.#wanted;
  }

  /** Looks in all of them, so those that have not come yet are fetched. */
  set wanted(words: string) {
    this.#wanted = words;
    if (words !== '') void this.paged.rest();
  }

  async load(): Promise<void> {
    await this.paged.reload();
  }

  find(name: string): ListedModel | null {
    return this.paged.items.find((each) => each.name === name) ?? null;
  }
}

/** Those that have each of the words in their name, or in that of what they stand for. */
export function named<T extends AiModel>(models: readonly T[], wanted: string): readonly T[] {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return models;
  return models.filter(({ name, targets }) => {
    const text = [name, ...targets].join(' ').toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
