import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Connection, type ConnectionOptions } from './connection.svelte.ts';
import { FakeServer } from './fake-server.ts';

let server: FakeServer;
let opened: Connection[];

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer('print(1)\n');
  opened = [];
});
afterEach(() => {
  for (const connection of opened) connection.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function memory(): Storage {
  const values = new Map<string, string>();
  return {
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
    removeItem: (key: string) => void values.delete(key),
    clear: () => values.clear(),
    key: () => null,
    get length() {
      return values.size;
    },
  };
}

async function connect(options: Partial<ConnectionOptions> = {}): Promise<Connection> {
  const connection = dial(options);
  await ticketed();
  server.socket.accept();
  return connection;
}

/** What a browser's `window` brings and Node does not. */
function stubListeners(): Map<string, Set<() => void>> {
  const listening = new Map<string, Set<() => void>>();
  vi.stubGlobal('addEventListener', (type: string, listener: () => void) =>
    listening.set(type, (listening.get(type) ?? new Set()).add(listener)),
  );
  vi.stubGlobal('removeEventListener', (type: string, listener: () => void) => listening.get(type)?.delete(listener));
  return listening;
}

function dial(options: Partial<ConnectionOptions> = {}): Connection {
  let tickets = 0;
  const connection = new Connection({
    documentId: 'doc_1',
    url: 'ws://localhost/api/v1/documents/doc_1',
    ticket: async () => `t${++tickets}`,
    Socket: server.Socket,
    random: () => 1,
    ...options,
  });
  opened.push(connection);
  connection.open();
  return connection;
}

const ticketed = () => vi.advanceTimersByTimeAsync(0);
const text = (connection: Connection) => connection.replica!.doc.getText('python');

describe('connecting', () => {
  it('shows a ticket as a subprotocol and syncs after the hello', async () => {
    const connection = await connect();
    expect(server.socket.protocols).toEqual(['ocp.v1', 'ocp.ticket.t1']);
    expect(connection.phase).toBe('live');
    expect(connection.canWrite).toBe(true);
    expect(text(connection).toString()).toBe('print(1)\n');
    expect(server.socket.heard.filter((type) => type === 'step-1')).toHaveLength(1);
  });

  it('says nothing before the hello', async () => {
    dial();
    await ticketed();
    server.socket.readyState = 1;
    expect(server.socket.heard).toEqual([]);
  });

  it('stops when the server gives no ticket for a reason that waiting does not change', async () => {
    const connection = dial({ ticket: () => Promise.reject(Object.assign(new Error('gone'), { status: 404 })) });
    await ticketed();
    expect(connection.stopped).toBe('not-found');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.sockets).toHaveLength(0);
  });

  it('gives up a socket that does not open within ten seconds', async () => {
    dial();
    await vi.advanceTimersByTimeAsync(16_000);
    expect(server.sockets.length).toBeGreaterThan(1);
  });
});

describe('the light', () => {
  it('says saved only after the acknowledgement', async () => {
    const connection = await connect();
    server.acknowledges = false;
    text(connection).insert(0, '# a\n');
    expect(connection.light).toBe('saving');
    server.socket.acknowledge();
    expect(connection.light).toBe('saved');
    expect(server.text()).toBe('# a\nprint(1)\n');
  });

  it('raises the alarm when an edit stays unsaved for three seconds', async () => {
    const connection = await connect();
    server.acknowledges = false;
    text(connection).insert(0, 'x');
    await vi.advanceTimersByTimeAsync(2_900);
    expect(connection.settlement.late).toBe(false);
    await vi.advanceTimersByTimeAsync(200);
    expect(connection.settlement.late).toBe(true);
    server.socket.acknowledge();
    expect(connection.settlement.late).toBe(false);
  });

  it('is offline without a connection, whatever was saved before', async () => {
    const connection = await connect();
    server.socket.drop();
    expect(connection.light).toBe('offline');
  });
});

describe('an input method that composes', () => {
  it('holds back what others write until it is done', async () => {
    const connection = await connect();
    connection.hold(true);
    server.edit(0, 'a');
    server.edit(1, 'b');
    expect(text(connection).toString()).toBe('print(1)\n');
    connection.hold(false);
    expect(text(connection).toString()).toBe('abprint(1)\n');
  });
});

describe('losing the line', () => {
  it('keeps what is typed and uploads it with the next handshake', async () => {
    const connection = await connect();
    server.socket.drop();
    text(connection).insert(0, 'offline ');
    server.edit(server.text().length, 'theirs');
    await vi.advanceTimersByTimeAsync(200);
    server.acknowledges = false;
    server.socket.accept();
    expect(server.text()).toBe('offline print(1)\ntheirs');
    expect(text(connection).toString()).toBe(server.text());
    expect(connection.light).toBe('saving');
    server.socket.acknowledge();
    expect(connection.light).toBe('saved');
  });

  it('sends again what was not acknowledged when the line broke', async () => {
    const connection = await connect();
    server.acknowledges = false;
    text(connection).insert(0, 'x');
    server.socket.drop(1012);
    expect(connection.settlement.unsaved).toBe(true);
    await vi.advanceTimersByTimeAsync(200);
    server.acknowledges = true;
    server.socket.accept();
    expect(server.text()).toBe('xprint(1)\n');
    expect(connection.light).toBe('saved');
  });

  it('comes back with growing pauses of five seconds at most', async () => {
    await connect();
    const pauses: number[] = [];
    for (let attempt = 0; attempt < 9; attempt++) {
      const lost = Date.now();
      const known = server.sockets.length;
      server.socket.drop(1013);
      while (server.sockets.length === known) await vi.advanceTimersByTimeAsync(50);
      pauses.push(Date.now() - lost);
    }
    expect(pauses).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
  });

  it('comes back at once when the browser reports the network', async () => {
    const listening = stubListeners();
    const connection = await connect();
    listening.get('offline')?.forEach((lose) => lose());
    expect(connection.light).toBe('offline');
    for (let attempt = 0; attempt < 8; attempt++) {
      await vi.advanceTimersByTimeAsync(5_000);
      server.socket.drop();
    }
    const known = server.sockets.length;
    listening.get('online')?.forEach((comeBack) => comeBack());
    await ticketed();
    expect(server.sockets).toHaveLength(known + 1);
  });

  it('asks for a fresh ticket each time', async () => {
    await connect();
    server.socket.drop();
    await vi.advanceTimersByTimeAsync(200);
    expect(server.socket.protocols[1]).toBe('ocp.ticket.t2');
  });

  it('notices a line that has gone silent', async () => {
    const connection = await connect();
    await vi.advanceTimersByTimeAsync(29_000);
    expect(connection.phase).toBe('live');
    await vi.advanceTimersByTimeAsync(6_000);
    expect(connection.phase).not.toBe('live');
  });

  it.each([
    [4401, 'removed'],
    [4403, 'not-admitted'],
    [4404, 'not-found'],
    [4410, 'ended'],
    [1008, 'incompatible'],
  ])('stops for good at %i', async (code, reason) => {
    const connection = await connect();
    server.socket.drop(code);
    expect(connection.stopped).toBe(reason);
    expect(connection.canWrite).toBe(false);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.sockets).toHaveLength(1);
  });
});

describe('presence', () => {
  it('is told anew with a newer clock after coming back', async () => {
    const connection = await connect();
    connection.replica!.awareness.setLocalStateField('cursor', { anchor: 1, head: 1 });
    const clock = () => connection.replica!.awareness.meta.get(connection.replica!.doc.clientID)!.clock;
    const before = clock();
    server.socket.drop();
    await vi.advanceTimersByTimeAsync(200);
    server.socket.accept();
    expect(clock()).toBeGreaterThan(before);
    expect(server.socket.heard).toContain('awareness');
  });
});

describe('what may not be merged', () => {
  it('keeps the old text aside when the document was replaced, and never doubles it', async () => {
    const connection = await connect();
    server.socket.drop();
    text(connection).insert(0, 'mine ');
    server.replace('g2', 'print(1)\n');
    await vi.advanceTimersByTimeAsync(200);
    server.socket.accept();
    expect(server.text()).toBe('print(1)\n');
    expect(text(connection).toString()).toBe('print(1)\n');
    expect(connection.recoveries).toMatchObject([{ reason: 'other-generation', texts: { python: 'mine print(1)\n' } }]);
  });

  it('keeps showing the old copy, closed for writing, until the new one is here', async () => {
    const connection = await connect();
    const before = connection.replica;
    server.socket.drop(4409);
    expect(connection.replica).toBe(before);
    expect(connection.canWrite).toBe(false);
    await vi.advanceTimersByTimeAsync(200);
    server.socket.accept();
    expect(connection.replica).not.toBe(before);
    expect(connection.canWrite).toBe(true);
  });

  it('builds its copy anew after a refusal, so that nothing diverges', async () => {
    const connection = await connect();
    server.role = 'read';
    server.acknowledges = false;
    text(connection).insert(0, 'late ');
    server.socket.refuse('read-only', 'The editor is frozen.');
    await vi.advanceTimersByTimeAsync(200);
    server.socket.accept();
    expect(text(connection).toString()).toBe('print(1)\n');
    expect(connection.canWrite).toBe(false);
    expect(connection.recoveries).toMatchObject([
      { reason: 'read-only', sentence: 'The editor is frozen.', texts: { python: 'late print(1)\n' } },
    ]);
  });

  it('does not upload what was typed offline when writing has been closed meanwhile', async () => {
    const connection = await connect();
    server.socket.drop();
    text(connection).insert(0, 'offline ');
    server.role = 'read';
    await vi.advanceTimersByTimeAsync(200);
    server.socket.accept();
    expect(text(connection).toString()).toBe('print(1)\n');
    expect(connection.recoveries[0]?.texts).toEqual({ python: 'offline print(1)\n' });
  });

  it('says nothing when the refused text is the shared one after all', async () => {
    const connection = await connect();
    server.socket.drop(4409);
    await vi.advanceTimersByTimeAsync(200);
    server.socket.accept();
    expect(connection.recoveries).toEqual([]);
  });

  it('follows a change of the right to write without a new connection', async () => {
    const connection = await connect();
    server.socket.access('read');
    expect(connection.canWrite).toBe(false);
    server.socket.access('write');
    expect(connection.canWrite).toBe(true);
    expect(server.sockets).toHaveLength(1);
  });
});

describe('a reload of the page', () => {
  it('brings back what the server had not acknowledged', async () => {
    const storage = memory();
    const first = await connect({ storage });
    server.socket.drop();
    text(first).insert(0, 'kept ');
    first.close();
    const second = await connect({ storage });
    expect(text(second).toString()).toBe('kept print(1)\n');
    expect(server.text()).toBe('kept print(1)\n');
    expect(storage.getItem('ocp.draft.doc_1')).toBeNull();
  });

  it('offers it as a copy when the document was replaced meanwhile', async () => {
    const storage = memory();
    const first = await connect({ storage });
    server.socket.drop();
    text(first).insert(0, 'kept ');
    first.close();
    server.replace('g2', 'new\n');
    const second = await connect({ storage });
    expect(text(second).toString()).toBe('new\n');
    expect(second.recoveries[0]?.texts).toEqual({ python: 'kept print(1)\n' });
  });
});

describe('leaving', () => {
  it('leaves no timer and no listener, however often', async () => {
    const listening = stubListeners();
    for (let visit = 0; visit < 200; visit++) {
      const connection = await connect();
      text(connection).insert(0, 'x');
      connection.close();
      connection.close();
    }
    expect(vi.getTimerCount()).toBe(0);
    expect([...listening.values()].flatMap((listeners) => [...listeners])).toEqual([]);
    expect(server.sockets.every((socket) => socket.readyState === 3 && socket.onmessage === null)).toBe(true);
  });

  it('ends an attempt that is still waiting for its ticket', async () => {
    const connection = dial();
    connection.close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.sockets).toHaveLength(0);
  });
});
