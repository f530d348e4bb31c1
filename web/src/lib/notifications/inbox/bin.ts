import { asProblem } from '#lib/api/problem.ts';
import { notifications, type Notice } from '#lib/api/notifications.ts';
import { toasts } from '#lib/ui/toasts.svelte.ts';

/**
 * Notices that are on their way out. The server forgets what a notice said when it is deleted, so it is asked only
 * when Undo is no longer offered, or when the page is left.
 */
class Bin {
  readonly #going = new Map<string, () => void>();

  constructor() {
    globalThis.addEventListener?.('pagehide', () => {
      for (const commit of [...this.#going.values()]) commit();
    });
  }

  has(id: string): boolean {
    return this.#going.has(id);
  }

  /** `back` puts it where it was: somebody changed their mind, or the server did not do it. */
  add(notice: Notice, back: () => void): void {
    const commit = () => void this.#commit(notice, back);
    this.#going.set(notice.id, commit);
    toasts.show('Deleted.', {
      action: {
        label: 'Undo',
        run: () => {
          if (this.#going.delete(notice.id)) back();
        },
      },
      ended: commit,
    });
  }

  async #commit(notice: Notice, back: () => void): Promise<void> {
    if (!this.#going.delete(notice.id)) return;
    try {
      await notifications.remove(notice.id);
    } catch (error) {
      const problem = asProblem(error);
      if (problem.status === 404) return;
      back();
      toasts.show(`It is still there: ${problem.title}`, { tone: 'bad' });
    }
  }
}

export const bin = new Bin();
