import { ai, type AiProvider, type Preset } from '#lib/api/ai.ts';
import { Paged } from '#lib/api/paged.svelte.ts';
import { asProblem, type ApiProblem } from '#lib/api/problem.ts';

export type ListedProvider = AiProvider & { id: string };

/** How often a page that is looked at asks how providers are. */
export const LOOK_AGAIN_MS = 15_000;

const listed = (provider: AiProvider): ListedProvider => ({ ...provider, id: provider.name });

/** All providers, and how they are. */
export class ProviderList {
  readonly paged = new Paged<ListedProvider>(async (cursor) => {
    const { items, next_cursor } = await ai.providers({ cursor, limit: 200 });
    return { items: items.map(listed), next_cursor };
  });
  presets = $state.raw<readonly Preset[]>([]);
  /** Those that are tested now, by name. */
  testing = $state.raw<ReadonlySet<string>>(new Set());
  /** Why one could not be tested. */
  problems = $state.raw<Readonly<Record<string, ApiProblem>>>({});

  /** Answers with what ends it. */
  open(): () => void {
    void this.paged.reload();
    void this.#loadPresets();
    const timer = setInterval(() => void this.#lookAgain(), LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }

  async test(name: string): Promise<void> {
    if (this.testing.has(name)) return;
    this.testing = new Set([...this.testing, name]);
    const { [name]: _before, ...others } = this.problems;
    this.problems = others;
    try {
      this.paged.replace(listed(await ai.testProvider(name)));
    } catch (error) {
      this.problems = { ...this.problems, [name]: asProblem(error) };
    } finally {
      this.testing = new Set([...this.testing].filter((each) => each !== name));
    }
  }

  /** After it was stored: shown in its place, and tested. */
  take(provider: AiProvider): void {
    const row = listed(provider);
    if (this.paged.items.some(({ id }) => id === row.id)) this.paged.replace(row);
    else this.paged.prepend(row);
    if (row.enabled) void this.test(row.name);
  }

  async remove(name: string): Promise<void> {
    await ai.removeProvider(name);
    // A file may have one of the same name, which is there from now on.
    await this.paged.reload();
  }

  async #loadPresets(): Promise<void> {
    try {
      this.presets = (await ai.presets()).items;
    } catch {
      // An address can be typed all the same, and the server knows them.
    }
  }

  async #lookAgain(): Promise<void> {
    if (document.visibilityState !== 'visible' || this.paged.hasMore || this.paged.status !== 'ready') return;
    try {
      for (const provider of (await ai.providers({ limit: 200 })).items) {
        if (!this.testing.has(provider.name)) this.paged.replace(listed(provider));
      }
    } catch {
      // In a while again.
    }
  }
}
