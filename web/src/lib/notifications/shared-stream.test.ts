import { afterEach, describe, expect, it, vi } from 'vitest';
import { eventStream, FakeServer } from '../../../test/fake-server.ts';
import { SharedStream } from './shared-stream.ts';

const URL = '/api/v1/me/notices/events';
const event = (id: number) => `id: ${id}\ndata: {"n":${id}}\n\n`;
const open: SharedStream<{ n: number }>[] = [];
let names = 0;

/** A page of a browser, and what it has heard. */
function page(name: string) {
  const heard: number[] = [];
  const stream = new SharedStream<{ n: number }>({ url: URL, name, onEvent: ({ n }) => heard.push(n), onRefused: () => {} });
  open.push(stream);
  return { stream, heard };
}

afterEach(() => {
  for (const stream of open.splice(0)) stream.close();
});

describe('the stream that pages share', () => {
  it('is one connection, and all pages hear it', async () => {
    const line = eventStream();
    const server = new FakeServer().on(`GET ${URL}`, line.answer);
    const name = `test.${names++}`;
    const [one, other] = [page(name), page(name)];
    one.stream.join();
    other.stream.join();
    line.send(event(1) + event(2));
    await vi.waitFor(() => expect([one.heard, other.heard]).toEqual([[1, 2], [1, 2]]));
    expect(server.calls).toHaveLength(1);
  });

  it('goes on in another page after what was heard last', async () => {
    const [first, second] = [eventStream(), eventStream()];
    const server = new FakeServer().on(`GET ${URL}`, first.answer, second.answer);
    const name = `test.${names++}`;
    const [one, other] = [page(name), page(name)];
    one.stream.join();
    other.stream.join();
    first.send(event(7));
    await vi.waitFor(() => expect(other.heard).toEqual([7]));
    one.stream.leave();
    await vi.waitFor(() => expect(server.calls).toHaveLength(2));
    expect(server.calls[1]!.headers['last-event-id']).toBe('7');
    second.send(event(8));
    // Who has left listens to the others.
    await vi.waitFor(() => expect([one.heard, other.heard]).toEqual([[7, 8], [7, 8]]));
  });

  it('tells a page that comes later where it stands', async () => {
    const line = eventStream();
    new FakeServer().on(`GET ${URL}`, line.answer);
    const name = `test.${names++}`;
    const one = page(name);
    one.stream.join();
    line.send(event(3));
    await vi.waitFor(() => expect(one.heard).toEqual([3]));
    const late = page(name);
    await vi.waitFor(() => expect(late.heard).toEqual([3]));
  });
});
