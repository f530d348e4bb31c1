import { following, type FollowKind, type Followed } from '#lib/api/index.ts';
import { Paged } from '#lib/api/paged.svelte.ts';

/** Something that is followed, by the id of what it is. */
export type FollowedRow = Followed & { id: string };

/** What somebody follows, of one kind; what they stop following can be put back. */
export class FollowingList {
  readonly kind: FollowKind;
  readonly paged: Paged<FollowedRow>;

  constructor(kind: FollowKind) {
    this.kind = kind;
    this.paged = new Paged<FollowedRow>(async (cursor) => {
      const page = await following.list(kind, { cursor, limit: 50 });
      return { ...page, items: page.items.flatMap(rowOf) };
    });
  }

  /** The row is gone at once, and back when the server refuses. Throws `ApiProblem` then. */
  async unfollow(row: FollowedRow): Promise<void> {
    const before = this.paged.items;
    this.paged.remove(row.id);
    try {
      await this.#send(row, false);
    } catch (error) {
      this.#putBack(row, before);
      throw error;
    }
  }

  /** Throws `ApiProblem`. */
  async followAgain(row: FollowedRow, before: readonly FollowedRow[]): Promise<void> {
    const again = await this.#send(row, true);
    this.#putBack(again, before.map((other) => (other.id === row.id ? again : other)));
  }

  async #send(row: FollowedRow, wanted: boolean): Promise<FollowedRow> {
    if (row.search) {
      if (!wanted) await following.unfollowSearch(row.search.id);
      else return this.#followSearch(row);
    } else if (row.person) await following.set({ kind: 'person', handle: row.person.handle }, wanted);
    else if (row.project) await following.set({ kind: 'project', slug: row.project.slug }, wanted);
    return row;
  }

  /** A search that is followed again is a new one, with an id of its own. */
  async #followSearch(row: FollowedRow): Promise<FollowedRow> {
    const { name, q, technologies, license, price, tags } = row.search!;
    const search = await following.followSearch({ name, q, technologies, license, price, tags });
    return { ...row, id: search.id, search };
  }

  /** Between those that it stood between, as far as they are still there. */
  #putBack(row: FollowedRow, before: readonly FollowedRow[]): void {
    const now = this.paged.items;
    if (now.some((other) => other.id === row.id)) return;
    const behind = new Set(before.slice(before.findIndex((other) => other.id === row.id) + 1).map(({ id }) => id));
    const next = now.findIndex((other) => behind.has(other.id));
    this.paged.items = next < 0 ? [...now, row] : [...now.slice(0, next), row, ...now.slice(next)];
  }
}

function rowOf(followed: Followed): FollowedRow[] {
  const id = followed.search?.id ?? followed.project?.id ?? followed.person?.handle;
  return id === undefined ? [] : [{ ...followed, id }];
}
