import { counts } from '#lib/api/index.ts';

/** Projects of one question, as many as a page of rows has. */
const MOST_AT_ONCE = 100;

/** Downloads by week of the projects in a list. What does not come is not missed: rows do well without. */
export class WeeklyDownloads {
  #weeks = $state.raw<Readonly<Record<string, readonly number[]>>>({});
  readonly #asked = new Set<string>();

  /** Null while they are not known, and where there were none. */
  of(id: string): readonly number[] | null {
    return this.#weeks[id] ?? null;
  }

  /** Asks for those that nobody has asked for yet. */
  async want(ids: readonly string[]): Promise<void> {
    const fresh = ids.filter((id) => !this.#asked.has(id));
    for (let first = 0; first < fresh.length; first += MOST_AT_ONCE) {
      await this.#ask(fresh.slice(first, first + MOST_AT_ONCE));
    }
  }

  async #ask(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#asked.add(id);
    try {
      const { downloads } = await counts.weeks(ids);
      this.#weeks = { ...this.#weeks, ...downloads };
    } catch {
      for (const id of ids) this.#asked.delete(id);
    }
  }
}

export const weeklyDownloads = new WeeklyDownloads();
