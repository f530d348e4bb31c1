import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TerminalSession } from './terminal-session.svelte.ts';
import { terminalNote } from './terminal-words.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

class FakeSocket {
  static all: FakeSocket[] = [];
  readyState = 0;
  binaryType = '';
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  sent: (string | Uint8Array)[] = [];

  constructor(
    readonly url: string,
    readonly protocols: string[],
  ) {
    FakeSocket.all.push(this);
  }

  send(frame: string | Uint8Array) {
    this.sent.push(frame);
  }
  close() {
    this.readyState = 3;
  }
  say(word: object) {
    this.readyState = 1;
    this.onmessage?.({ data: JSON.stringify(word) });
  }
  print(text: string) {
    this.onmessage?.({ data: new TextEncoder().encode(text).buffer });
  }
  drop(code: number) {
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

const state = (fields = {}) => ({ type: 'state', columns: 80, rows: 24, may_type: true, ...fields });

function opened(ticket: () => Promise<string> = async () => 'T') {
  FakeSocket.all = [];
  const seen = { text: '', restarts: 0 };
  const session = new TerminalSession({
    url: 'ws://x/terminal',
    ticket,
    onOutput: (bytes) => (seen.text += new TextDecoder().decode(bytes)),
    onRestart: () => {
      seen.restarts += 1;
      seen.text = '';
    },
    Socket: FakeSocket as never,
    random: () => 0,
  });
  session.open();
  return { session, seen };
}

const socket = () => FakeSocket.all.at(-1)!;

describe('a terminal', () => {
  it('shows its ticket, and then what is printed', async () => {
    const { session, seen } = opened();
    await vi.advanceTimersByTimeAsync(0);
    expect(socket().protocols).toEqual(['ocp.ticket.T']);
    socket().say(state());
    socket().print('hello');
    expect(seen).toEqual({ text: 'hello', restarts: 1 });
    expect(session.phase).toBe('live');
    expect(session.size).toEqual({ columns: 80, rows: 24 });
  });

  it('sends keys as bytes, large pastes in several frames, and wishes as words', async () => {
    const { session } = opened();
    await vi.advanceTimersByTimeAsync(0);
    session.type('too early');
    socket().say(state());
    session.type('\u00fc');
    session.type('x'.repeat(40_000));
    session.resize({ columns: 80, rows: 24 });
    session.resize({ columns: 100, rows: 30 });
    session.signal('SIGINT');
    session.endInput();
    const [umlaut, ...rest] = socket().sent;
    expect(umlaut).toEqual(new Uint8Array([0xc3, 0xbc]));
    expect(rest.slice(0, 3).map((frame) => frame.length)).toEqual([16_384, 16_384, 7_232]);
    expect(rest.slice(3).map((word) => JSON.parse(String(word)))).toEqual([
      { type: 'resize', columns: 100, rows: 30 },
      { type: 'signal', signal: 'SIGINT' },
      { type: 'eof' },
    ]);
  });

  it('types nothing for somebody who may only watch', async () => {
    const { session } = opened();
    await vi.advanceTimersByTimeAsync(0);
    socket().say(state({ may_type: false }));
    session.type('x');
    expect(socket().sent).toEqual([]);
    expect(terminalNote(session, {} as never)).toBe('You can watch, not type');
    socket().say(state());
    session.type('x');
    expect(socket().sent).toHaveLength(1);
  });

  it('comes back after a loss and shows everything once', async () => {
    const { session, seen } = opened();
    await vi.advanceTimersByTimeAsync(0);
    socket().say(state());
    socket().print('one');
    socket().drop(1006);
    expect(session.phase).toBe('waiting');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(FakeSocket.all).toHaveLength(2);
    socket().say(state());
    socket().print('one two');
    expect(seen.text).toBe('one two');
  });

  it('ends with the program', async () => {
    const { session } = opened();
    await vi.advanceTimersByTimeAsync(0);
    socket().say(state());
    socket().say({ type: 'exit', exit_code: 0 });
    expect(session.phase).toBe('ended');
    expect(session.mayType).toBe(false);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(FakeSocket.all).toHaveLength(1);
  });

  it.each([
    [4401, 'removed'],
    [4410, 'ended'],
  ])('does not come back after %i', async (code, reason) => {
    const { session } = opened();
    await vi.advanceTimersByTimeAsync(0);
    socket().say(state());
    socket().drop(code);
    expect(session.stopped).toBe(reason);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(FakeSocket.all).toHaveLength(1);
  });

  it('asks again for a ticket after a failure, not after a refusal', async () => {
    const ticket = vi.fn<() => Promise<string>>().mockRejectedValueOnce({ status: 503 }).mockRejectedValue({ status: 404 });
    const { session } = opened(ticket);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(ticket).toHaveBeenCalledTimes(2);
    expect(session.stopped).toBe('not-found');
  });

  it('that is closed while the ticket comes opens nothing', async () => {
    let give!: (ticket: string) => void;
    const { session } = opened(() => new Promise((resolve) => (give = resolve)));
    session.close();
    give('T');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(FakeSocket.all).toHaveLength(0);
  });
});
