import { identity, type User } from '#lib/api/index.ts';
import { Paged } from '#lib/api/paged.svelte.ts';

/** Puts names to ids, where the server speaks in ids. */
export class Roster {
  readonly #people = new Paged<User>((cursor) => identity.users({ limit: 200, cursor }));
  readonly #names = $derived(new Map(this.#people.items.map(({ id, display_name }) => [id, display_name])));

  /** Without it ids are shown, so a failure is no reason to trouble anybody. */
  async load(): Promise<void> {
    await this.#people.reload();
    await this.#people.rest();
  }

  /** The name, or the id cut down to what tells two apart; empty stays empty. */
  name(id: string): string {
    return this.#names.get(id) ?? shortId(id);
  }
}

/** `usr_01M84DG57H2C2P1J2SMFX83P8D` as `usr_…X83P8D`: ids begin with the time, so their ends differ most. */
export function shortId(id: string): string {
  const [, prefix, rest] = /^([a-z]+_)(\w+)$/.exec(id) ?? [];
  return prefix && rest && rest.length > 8 ? `${prefix}…${rest.slice(-6)}` : id;
}
