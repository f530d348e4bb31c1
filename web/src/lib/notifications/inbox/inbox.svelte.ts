import { Paged } from '#lib/api/paged.svelte.ts';
import { asProblem } from '#lib/api/problem.ts';
import { notifications, type Notice, type NoticeNews } from '#lib/api/notifications.ts';
import { toasts } from '#lib/ui/toasts.svelte.ts';
import { feed } from '../feed.svelte.ts';
import { bin } from './bin.ts';

export type InboxFilter = 'all' | 'unread';

/** One's notices, newest first. What comes meanwhile waits aside: nothing moves under the eyes of who reads. */
export class Inbox {
  readonly paged: Paged<Notice>;
  fresh = $state.raw<readonly Notice[]>([]);
  filter = $state<InboxFilter>('all');
  readonly hasUnread = $derived((feed.unread ?? 0) > 0);

  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
    this.paged = new Paged((cursor) => this.#page(cursor));
  }

  /** Loads, and follows what comes. Answers with what ends it. */
  open(): () => void {
    void this.reload();
    return feed.listen(this.#hear);
  }

  async reload(): Promise<void> {
    this.fresh = [];
    await this.paged.reload();
  }

  async show(filter: InboxFilter): Promise<void> {
    if (filter === this.filter) return;
    this.filter = filter;
    this.paged.clear();
    await this.reload();
  }

  showFresh(): void {
    for (const notice of [...this.fresh].reverse()) this.paged.prepend(notice);
    this.fresh = [];
  }

  async read(notice: Notice): Promise<void> {
    if (notice.read) return;
    this.paged.replace({ ...notice, read: true });
    feed.shift(-1);
    try {
      feed.unread = (await notifications.read([notice.id])).unread;
    } catch {
      // It stays unread, which is the truth; nobody who reads it needs to know now.
      this.paged.replace(notice);
      feed.shift(1);
    }
  }

  /** Up to the newest that is shown; what waits aside stays unread. */
  async readAll(): Promise<void> {
    const newest = this.paged.items[0];
    if (!newest) return;
    const before = this.paged.items;
    const unreadBefore = feed.unread;
    this.#markShown();
    feed.unread = this.fresh.length;
    try {
      feed.unread = (await notifications.readAll(newest.id)).unread;
    } catch (error) {
      const problem = asProblem(error);
      feed.unread = unreadBefore;
      // The newest one was deleted elsewhere: look again at what there is.
      if (problem.status === 404) return this.reload();
      for (const notice of before) this.paged.replace(notice);
      toasts.show(`They are still unread: ${problem.title}`, {
        tone: 'bad',
        action: { label: 'Try again', run: () => void this.readAll() },
      });
    }
  }

  remove(notice: Notice): void {
    const index = this.paged.items.findIndex(({ id }) => id === notice.id);
    this.paged.remove(notice.id);
    if (!notice.read) feed.shift(-1);
    bin.add(notice, () => {
      if (!this.paged.items.some(({ id }) => id === notice.id)) this.paged.insert(notice, Math.max(0, index));
      if (!notice.read) feed.shift(1);
    });
  }

  async #page(cursor: string | null) {
    const page = await notifications.list({
      cursor,
      limit: this.#limit,
      unread: this.filter === 'unread' ? true : undefined,
    });
    // What came between the two is on the page already.
    const here = new Set(page.items.map(({ id }) => id));
    this.fresh = this.fresh.filter(({ id }) => !here.has(id));
    return { ...page, items: page.items.filter(({ id }) => !bin.has(id)) };
  }

  #hear = (news: NoticeNews, surprising: boolean): void => {
    if (news.type === 'notice.given') this.#arrived([news.notice]);
    if (news.unread === 0) this.#markShown();
    else if (surprising) void this.#lookAgain();
  };

  /** Newest first. With nothing to read that could move, they are shown at once. */
  #arrived(notices: readonly Notice[]): void {
    const known = new Set([...this.paged.items, ...this.fresh].map(({ id }) => id));
    const unknown = notices.filter(({ id }) => !known.has(id) && !bin.has(id));
    this.fresh = [...unknown, ...this.fresh];
    if (this.paged.status === 'ready' && this.paged.items.length === 0) this.showFresh();
  }

  /** Something was read, deleted or given that this page has not heard of. */
  async #lookAgain(): Promise<void> {
    if (this.paged.status !== 'ready') return;
    try {
      const { items } = await notifications.list({ limit: this.#limit });
      const newest = this.paged.items[0];
      const end = newest ? items.findIndex(({ id }) => id === newest.id) : items.length;
      if (end > 0 && this.filter === 'all') this.#arrived(items.slice(0, end));
      for (const notice of items) this.paged.replace(notice);
    } catch {
      // The next news, or the next visit, tells it.
    }
  }

  #markShown(): void {
    this.paged.items = this.paged.items.map((notice) => (notice.read ? notice : { ...notice, read: true }));
  }
}
