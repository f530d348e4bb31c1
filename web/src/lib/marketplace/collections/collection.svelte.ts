import { asProblem, collecting, type ApiProblem, type Collection, type CollectionChange } from '#lib/api/index.ts';
import { Paged } from '#lib/api/paged.svelte.ts';
import { itemOf, moved, restored, without, type Item } from './order.ts';

/** One collection as somebody looks at it, and as its owner changes it. */
export class CollectionVisit {
  readonly id: string;
  readonly paged: Paged<Item>;
  collection = $state.raw<Collection | null>(null);
  problem = $state.raw<ApiProblem | null>(null);
  // One after the other: what is sent later is meant for the order that came before.
  #last: Promise<unknown> = Promise.resolve();

  constructor(id: string) {
    this.id = id;
    this.paged = new Paged<Item>(async (cursor) => {
      const page = await collecting.items(id, { cursor, limit: 100 });
      return { ...page, items: page.items.map(itemOf) };
    });
  }

  async load(): Promise<void> {
    this.problem = null;
    try {
      const [collection] = await Promise.all([collecting.get(this.id), this.paged.reload()]);
      this.collection = collection;
    } catch (error) {
      this.problem = asProblem(error);
    }
  }

  /** Throws `ApiProblem`. */
  async change(change: CollectionChange): Promise<void> {
    this.collection = await collecting.change(this.id, change);
  }

  /** Throws `ApiProblem`. */
  delete(): Promise<void> {
    return collecting.remove(this.id);
  }

  /** Moves a project by so many places. Shown at once; throws `ApiProblem` when it was refused. */
  move(id: string, by: number): Promise<void> {
    const to = this.paged.items.findIndex((item) => item.id === id) + by;
    const after = moved(this.paged.items, id, to);
    if (after === this.paged.items) return Promise.resolve();
    const { project, position } = after[to]!;
    return this.#do(after, () => collecting.put(this.id, project.slug, { position }));
  }

  /** Throws `ApiProblem`. */
  async note(item: Item, note: string): Promise<void> {
    const changed = await collecting.put(this.id, item.project.slug, { note });
    this.paged.items = this.paged.items.map((other) => (other.id === item.id ? { ...other, note: changed.note } : other));
  }

  /** Shown at once; throws `ApiProblem` when it was refused. */
  take(item: Item): Promise<void> {
    this.#count(-1);
    return this.#do(without(this.paged.items, item.id), () => collecting.take(this.id, item.project.slug));
  }

  /** Puts back what was taken out, with its note and in its place. Throws `ApiProblem`. */
  putBack(item: Item): Promise<void> {
    this.#count(1);
    const { note, position } = item;
    const put = () => collecting.put(this.id, item.project.slug, { note, position });
    return this.#do(restored(this.paged.items, item), put);
  }

  async #do(after: readonly Item[], send: () => Promise<unknown>): Promise<void> {
    this.paged.items = after;
    const done = this.#last.then(send);
    this.#last = done.catch(() => {});
    try {
      await done;
    } catch (error) {
      // What is true now only the server knows: other changes may have come after this one.
      await this.load();
      throw asProblem(error);
    }
  }

  #count(by: number): void {
    const { collection } = this;
    if (collection) this.collection = { ...collection, items: Math.max(0, collection.items + by) };
  }
}
