import { NOTICE_EVENTS, notifications, type NoticeNews } from '#lib/api/notifications.ts';
import { SharedStream } from './shared-stream.ts';

/** A page that nobody has looked at for so long lets go of its connection. */
export const HIDDEN_MS = 5 * 60_000;
/** Between two pages the bell is drawn anew: that is no reason to hang up. */
const GRACE_MS = 3_000;

/** `surprising`: the count is not what this page thought it was, so something happened elsewhere. */
type Listener = (news: NoticeNews, surprising: boolean) => void;

/** What comes into the inbox of whoever is signed in, as it comes. One for all parts of a page. */
export class Feed {
  /** null until the server has said it. */
  unread = $state<number | null>(null);

  readonly #listeners = new Set<Listener>();
  #userId: string | null = null;
  #stream: SharedStream<NoticeNews> | null = null;
  #paused = false;
  #hiding: ReturnType<typeof setTimeout> | undefined;
  #leaving: ReturnType<typeof setTimeout> | undefined;

  /** Follows this person's inbox. Answers with what ends it. */
  watch(userId: string): () => void {
    clearTimeout(this.#leaving);
    if (this.#userId !== userId) {
      this.#end();
      this.#begin(userId);
    }
    return () => (this.#leaving = setTimeout(() => this.#end(), GRACE_MS));
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What this page did itself; the server's own count follows. */
  shift(by: number): void {
    if (this.unread !== null) this.unread = Math.max(0, this.unread + by);
  }

  #begin(userId: string): void {
    this.#userId = userId;
    whenIdle(() => {
      if (this.#userId !== userId || this.#stream) return;
      void this.#count();
      this.#stream = new SharedStream<NoticeNews>({
        url: NOTICE_EVENTS,
        name: `ocp.notices.${userId}`,
        onEvent: this.#hear,
        // Counting says why: who is no longer signed in is then signed out here, too.
        onRefused: () => void this.#count(),
      });
      document.addEventListener('visibilitychange', this.#look);
      this.#paused = document.hidden;
      if (!this.#paused) this.#stream.join();
    });
  }

  #end(): void {
    clearTimeout(this.#hiding);
    this.#userId = null;
    this.#stream?.close();
    this.#stream = null;
    this.unread = null;
    globalThis.document?.removeEventListener('visibilitychange', this.#look);
  }

  async #count(): Promise<void> {
    const userId = this.#userId;
    try {
      const { unread } = await notifications.count();
      if (userId === this.#userId) this.#hear({ type: 'notices.counted', unread });
    } catch {
      // The bell then shows no number; the stream brings it as soon as the server is back.
    }
  }

  #hear = (news: NoticeNews): void => {
    const expected = news.type === 'notice.given' ? (this.unread ?? 0) + 1 : this.unread;
    const surprising = this.unread !== null && news.unread !== expected;
    this.unread = news.unread;
    for (const listener of this.#listeners) listener(news, surprising);
  };

  #look = (): void => {
    clearTimeout(this.#hiding);
    if (document.hidden) {
      this.#hiding = setTimeout(() => {
        this.#paused = true;
        this.#stream?.leave();
      }, HIDDEN_MS);
    } else if (this.#paused) {
      this.#paused = false;
      void this.#count();
      this.#stream?.join();
    }
  };
}

export const feed = new Feed();

function whenIdle(work: () => void): void {
  // Safari has none.
  if ('requestIdleCallback' in globalThis) requestIdleCallback(work, { timeout: 2000 });
  else setTimeout(work);
}
