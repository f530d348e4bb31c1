import { asProblem, collecting, type ApiProblem, type Collection, type CollectionDraft } from '#lib/api/index.ts';
import { randomKey } from '#lib/api/keys.ts';
import { rest } from './rest.ts';

/** In which of one's own collections a project is. */
export class Memberships {
  readonly slug: string;
  collections = $state.raw<readonly Collection[] | null>(null);
  problem = $state.raw<ApiProblem | null>(null);
  #holding = $state.raw<ReadonlySet<string>>(new Set());
  #underWay = $state.raw<readonly string[]>([]);
  // The same until a collection is made: whoever tries again after a lost answer gets the one that was made.
  #key = randomKey();

  constructor(slug: string) {
    this.slug = slug;
  }

  has(id: string): boolean {
    return this.#holding.has(id);
  }

  /** Does the server say so, too? Whoever opens the collection then finds the project in it. */
  isKept(id: string): boolean {
    return this.has(id) && !this.#underWay.includes(id);
  }

  async load(): Promise<void> {
    this.problem = null;
    try {
      const [all, holding] = await Promise.all([
        rest((cursor) => collecting.own({ cursor, limit: 200 })),
        rest((cursor) => collecting.own({ cursor, limit: 200, project: this.slug })),
      ]);
      this.#holding = new Set(holding.map(({ id }) => id));
      this.collections = all;
    } catch (error) {
      this.problem = asProblem(error);
    }
  }

  /** Shown at once; throws `ApiProblem` when it was refused, and is as it was then. */
  async set(id: string, wanted: boolean): Promise<void> {
    this.#show(id, wanted);
    this.#underWay = [...this.#underWay, id];
    try {
      await (wanted ? collecting.put(id, this.slug) : collecting.take(id, this.slug));
    } catch (error) {
      this.#show(id, !wanted);
      throw asProblem(error);
    } finally {
      // One of them: it may have been pressed again meanwhile.
      this.#underWay = this.#underWay.toSpliced(this.#underWay.indexOf(id), 1);
    }
  }

  /** A new collection with this project in it. Throws `ApiProblem`. */
  async create(draft: CollectionDraft): Promise<void> {
    const made = await collecting.create(draft, this.#key);
    this.#key = randomKey();
    this.collections = [made, ...(this.collections ?? [])];
    await this.set(made.id, true);
  }

  #show(id: string, wanted: boolean): void {
    const others = [...this.#holding].filter((other) => other !== id);
    this.#holding = new Set(wanted ? [...others, id] : others);
    const by = wanted ? 1 : -1;
    this.collections =
      this.collections?.map((each) => (each.id === id ? { ...each, items: Math.max(0, each.items + by) } : each)) ?? null;
  }
}
