import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Notice, NoticeNews } from '#lib/api/notifications.ts';
import { toasts } from '#lib/ui/toasts.svelte.ts';
import { FakeServer, json, problem } from '../../../../test/fake-server.ts';
import { feed } from '../feed.svelte.ts';
import { Inbox } from './inbox.svelte.ts';

const LIST = 'GET /api/v1/me/notices';
const READ = 'POST /api/v1/me/notices/read';
const notice = (n: number, read = false): Notice => ({
  id: `ntc_${n}`,
  kind: 'person.followed',
  title: `Notice ${n}`,
  body: '',
  path: '/people/ada',
  at: '2026-11-26T09:00:00Z',
  read,
});
const pageOf = (...items: Notice[]) => json({ items, next_cursor: null });
const ids = (inbox: Inbox) => inbox.paged.items.map(({ id }) => id);
let tell: (news: NoticeNews, surprising?: boolean) => void;

beforeEach(() => {
  vi.spyOn(feed, 'listen').mockImplementation((listener) => {
    tell = (news, surprising = false) => {
      feed.unread = news.unread;
      listener(news, surprising);
    };
    return () => {};
  });
});
afterEach(() => {
  for (const { id } of toasts.list) toasts.dismiss(id);
  feed.unread = null;
});

async function opened(...items: Notice[]): Promise<[Inbox, FakeServer]> {
  const server = new FakeServer().on(LIST, pageOf(...items));
  feed.unread = items.filter(({ read }) => !read).length;
  const inbox = new Inbox(50);
  inbox.open();
  await vi.waitFor(() => expect(inbox.paged.status).toBe('ready'));
  return [inbox, server];
}

describe('the inbox', () => {
  it('keeps what comes aside until it is asked for', async () => {
    const [inbox] = await opened(notice(1));
    tell({ type: 'notice.given', notice: notice(2), unread: 2 });
    tell({ type: 'notice.given', notice: notice(3), unread: 3 });
    tell({ type: 'notice.given', notice: notice(3), unread: 3 });
    expect([ids(inbox), inbox.fresh.length]).toEqual([['ntc_1'], 2]);
    inbox.showFresh();
    expect([ids(inbox), inbox.fresh.length]).toEqual([['ntc_3', 'ntc_2', 'ntc_1'], 0]);
  });

  it('shows the first one at once', async () => {
    const [inbox] = await opened();
    tell({ type: 'notice.given', notice: notice(1), unread: 1 });
    expect(ids(inbox)).toEqual(['ntc_1']);
  });

  it('marks all read up to the newest that was seen', async () => {
    const [inbox, server] = await opened(notice(2), notice(1));
    server.on(READ, json({ unread: 1 }));
    tell({ type: 'notice.given', notice: notice(3), unread: 3 });
    await inbox.readAll();
    expect(server.calls.at(-1)!.body).toEqual({ all: true, up_to: 'ntc_2' });
    expect(inbox.paged.items.every(({ read }) => read)).toBe(true);
    expect(feed.unread).toBe(1);
  });

  it('takes back what the server did not do', async () => {
    const [inbox, server] = await opened(notice(2), notice(1));
    server.on(READ, problem(503));
    await inbox.readAll();
    expect(inbox.paged.items.some(({ read }) => read)).toBe(false);
    expect(feed.unread).toBe(2);
    await inbox.read(notice(1));
    expect(feed.unread).toBe(2);
  });

  it('deletes only when Undo is gone', async () => {
    const [inbox, server] = await opened(notice(2), notice(1));
    server.on('DELETE /api/v1/me/notices/ntc_2', new Response(null, { status: 204 }));
    inbox.remove(inbox.paged.items[0]!);
    expect([ids(inbox), feed.unread]).toEqual([['ntc_1'], 1]);
    toasts.list.at(-1)!.action!.run();
    toasts.dismiss(toasts.list.at(-1)!.id);
    expect([ids(inbox), feed.unread]).toEqual([['ntc_2', 'ntc_1'], 2]);
    expect(server.calls.some(({ method }) => method === 'DELETE')).toBe(false);
    inbox.remove(inbox.paged.items[0]!);
    await inbox.reload();
    expect(ids(inbox)).toEqual(['ntc_1']);
    toasts.dismiss(toasts.list.at(-1)!.id);
    expect(server.calls.at(-1)!.method).toBe('DELETE');
  });

  it('looks again when something happened elsewhere', async () => {
    const [inbox, server] = await opened(notice(2), notice(1));
    server.on(LIST, pageOf(notice(3), notice(2, true), notice(1)));
    tell({ type: 'notices.counted', unread: 2 }, true);
    await vi.waitFor(() => expect(inbox.fresh).toHaveLength(1));
    expect(inbox.paged.items.map(({ read }) => read)).toEqual([true, false]);
    tell({ type: 'notices.counted', unread: 0 });
    expect(inbox.paged.items.every(({ read }) => read)).toBe(true);
  });
});
