import { marketplace } from '#lib/api/index.ts';

/** Under which handle the signed-in person publishes; null while it is not known. */
export class OwnHandle {
  value = $state<string | null>(null);
  #loading: Promise<void> | null = null;

  /** Asks the server once. When that fails, pages are as for any visitor, and the next page asks again. */
  load(): Promise<void> {
    if (this.value !== null) return Promise.resolve();
    this.#loading ??= this.#ask().finally(() => (this.#loading = null));
    return this.#loading;
  }

  /** After one's handle was changed. */
  adopt(handle: string): void {
    this.value = handle;
  }

  async #ask(): Promise<void> {
    try {
      this.value = (await marketplace.ownProfile()).handle;
    } catch {
      this.value = null;
    }
  }
}

export const ownHandle = new OwnHandle();
