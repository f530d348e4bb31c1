import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventStream, FakeServer, problem } from '../../../test/fake-server.ts';
import { EventStream, SILENCE_MS, type StreamState } from './events.ts';

const URL = '/api/v1/interviews/int_1/events';
const ROUTE = `GET ${URL}`;
const event = (id: number) => `id: ${id}\nevent: chat.message\ndata: {"n":${id}}\n\n`;

let stream: EventStream<{ n: number }>;
let heard: number[];
let states: StreamState[];

function listen(options: { token?: string; after?: number; random?: () => number } = {}) {
  heard = [];
  states = [];
  stream = new EventStream({
    url: URL,
    random: () => 1,
    ...options,
    onEvent: ({ n }) => heard.push(n),
    onState: (state) => states.push(state),
  });
  stream.start();
}
const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  stream.stop();
  vi.useRealTimers();
});

describe('the event stream', () => {
  it('delivers events and puts a candidate\'s token into a header, not into the address', async () => {
    const line = eventStream();
    const server = new FakeServer().on(ROUTE, line.answer);
    listen({ token: 'secret', after: 4 });
    line.send(event(5) + event(6));
    await settle();
    expect(heard).toEqual([5, 6]);
    expect(states).toEqual(['connecting', 'open']);
    expect(server.calls[0]).toMatchObject({
      path: URL,
      credentials: 'omit',
      headers: { authorization: 'Bearer secret', 'last-event-id': '4' },
    });
  });

  it('comes back after a cut where it had stopped', async () => {
    const [first, second] = [eventStream(), eventStream()];
    const server = new FakeServer().on(ROUTE, first.answer, second.answer);
    listen();
    first.send(event(1) + event(2));
    await settle();
    first.end();
    await settle();
    expect(states.at(-1)).toBe('waiting');
    await vi.advanceTimersByTimeAsync(500);
    second.send(event(3));
    await settle();
    expect(server.calls[1]!.headers['last-event-id']).toBe('2');
    expect(heard).toEqual([1, 2, 3]);
  });

  it('gives up a line that has been silent for too long, and keeps one that has comments', async () => {
    const [first, second] = [eventStream(), eventStream()];
    const server = new FakeServer().on(ROUTE, first.answer, second.answer);
    listen();
    await settle();
    await vi.advanceTimersByTimeAsync(SILENCE_MS - 1000);
    first.send(': still here\n\n');
    await vi.advanceTimersByTimeAsync(SILENCE_MS - 1000);
    expect(server.calls).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1000 + 500);
    expect(server.calls).toHaveLength(2);
  });

  it('waits longer after each failure, up to a limit', async () => {
    const server = new FakeServer().on(ROUTE, new TypeError('down'));
    listen();
    const counts: number[] = [];
    for (const ms of [500, 1000, 2000, 4000, 8000, 15_000, 15_000]) {
      await vi.advanceTimersByTimeAsync(ms);
      counts.push(server.calls.length);
    }
    expect(counts).toEqual([2, 3, 4, 5, 6, 7, 8]);
  });

  it('waits as long as a busy server asks for', async () => {
    const server = new FakeServer().on(ROUTE, problem(503, {}, { 'retry-after': '20' }));
    listen({ random: () => 0 });
    await vi.advanceTimersByTimeAsync(19_000);
    expect(server.calls).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1000);
    expect(server.calls).toHaveLength(2);
  });

  it.each([401, 403, 404, 410])('stops for good at %i', async (status) => {
    const server = new FakeServer().on(ROUTE, problem(status));
    listen();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.calls).toHaveLength(1);
    expect(states).toEqual(['connecting', 'refused']);
  });

  it('says nothing more once it is stopped', async () => {
    const line = eventStream();
    new FakeServer().on(ROUTE, line.answer);
    listen();
    await settle();
    stream.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(heard).toEqual([]);
    expect(states.at(-1)).toBe('stopped');
  });
});
