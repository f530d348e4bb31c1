import {
  asProblem,
  releases,
  type ApiProblem,
  type Release,
  type ReleaseCard,
  type ReleaseChange,
  type ReleaseFile,
} from '#lib/api/index.ts';
import { randomKey } from '#lib/api/keys.ts';
import { Paged } from '#lib/api/paged.svelte.ts';

const PAGE = 20;

/** All releases of one project, the newest version first. */
export class Releases {
  readonly slug: string;
  readonly paged: Paged<ReleaseCard>;
  /** The one that was made here, to show it open. */
  made = $state<string | null>(null);
  #key = randomKey();

  constructor(slug: string) {
    this.slug = slug;
    this.paged = new Paged<ReleaseCard>((cursor) => releases.list(slug, { cursor, limit: PAGE }));
  }

  /** Throws `ApiProblem`. Tried again after a lost answer, it makes no second one. */
  async publish(version: string, notes: string): Promise<Release> {
    let made: Release;
    try {
      made = await releases.publish(this.slug, { version, notes }, this.#key);
    } catch (error) {
      // Another request needs another key; whether this one arrived is not known only when nothing was heard.
      if (!asProblem(error).isOffline) this.#key = randomKey();
      throw error;
    }
    this.#key = randomKey();
    this.made = made.id;
    // Where its version belongs among the others, the server knows.
    await this.paged.reload();
    return made;
  }

  /** A card says what its release says. */
  show(release: Release): void {
    this.paged.replace(cardOf(release));
  }

  /** Throws `ApiProblem`. */
  async remove(version: string, id: string): Promise<void> {
    await releases.remove(this.slug, version);
    this.paged.remove(id);
  }
}

/** One release with its notes and files. */
export class OneRelease {
  release = $state.raw<Release | null>(null);
  problem = $state.raw<ApiProblem | null>(null);
  readonly slug: string;
  readonly version: string;
  readonly #changed: (release: Release) => void;

  /** `changed`: told of the release whenever it is another one here. */
  constructor(slug: string, version: string, changed: (release: Release) => void = () => undefined) {
    this.slug = slug;
    this.version = version;
    this.#changed = changed;
  }

  async load(): Promise<void> {
    this.problem = null;
    try {
      this.release = await releases.one(this.slug, this.version);
    } catch (error) {
      this.problem = asProblem(error);
    }
  }

  /** Throws `ApiProblem`. */
  async change(body: ReleaseChange): Promise<void> {
    this.#take(await releases.change(this.slug, this.version, body));
  }

  /** Throws `ApiProblem`. */
  async removeFile(name: string): Promise<void> {
    await releases.removeFile(this.slug, this.version, name);
    const { release } = this;
    if (release) this.#take({ ...release, files: release.files.filter((file) => file.name !== name) });
  }

  /** A file has arrived. */
  add(file: ReleaseFile): void {
    const { release } = this;
    if (!release) return;
    const others = release.files.filter(({ name }) => name !== file.name);
    this.#take({ ...release, files: [...others, file] });
  }

  #take(release: Release): void {
    this.release = release;
    this.#changed(release);
  }
}

function cardOf(release: Release): ReleaseCard {
  const { id, version, prerelease, yanked, downloaded, files, created_at, updated_at } = release;
  const size_bytes = files.reduce((sum, file) => sum + file.size_bytes, 0);
  return { id, version, prerelease, yanked, downloaded, files: files.length, size_bytes, created_at, updated_at };
}
