/** A document server in memory, for tests: it speaks the real protocol to sockets that are not there. */
import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';
import * as Y from 'yjs';
import { encodeStep1, encodeStep2, encodeUpdate } from './codec.ts';

export class FakeServer {
  generation = 'g1';
  role: 'write' | 'read' = 'write';
  acknowledges = true;
  doc = new Y.Doc();
  sockets: FakeSocket[] = [];
  readonly Socket: typeof WebSocket;

  constructor(text = '') {
    if (text) this.doc.getText('python').insert(0, text);
    // eslint-disable-next-line @typescript-eslint/no-this-alias
    const server = this;
    this.Socket = class extends FakeSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, server);
      }
    } as unknown as typeof WebSocket;
  }

  get socket(): FakeSocket {
    const last = this.sockets.at(-1);
    if (!last) throw new Error('Nobody has connected.');
    return last;
  }

  text(name = 'python'): string {
    return this.doc.getText(name).toString();
  }

  /** Another person's edit, told to all who are synced. */
  edit(at: number, text: string): void {
    const before = Y.encodeStateVector(this.doc);
    this.doc.getText('python').insert(at, text);
    const frame = encodeUpdate(Y.encodeStateAsUpdate(this.doc, before));
    for (const socket of this.sockets) if (socket.readyState === 1) socket.deliver(frame);
  }

  /** A document of the same name with another history. */
  replace(generation: string, text: string): void {
    this.generation = generation;
    this.doc = new Y.Doc();
    this.doc.getText('python').insert(0, text);
  }
}

export class FakeSocket {
  binaryType = 'blob';
  readyState = 0;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  /** Frame types as they came: "step-1", "step-2", "update", "awareness". */
  heard: string[] = [];
  #updates = 0;

  constructor(
    readonly url: string,
    readonly protocols: string[],
    readonly server: FakeServer,
  ) {
    server.sockets.push(this);
  }

  /** The server accepts: hello, then its step 1. */
  accept(): void {
    this.readyState = 1;
    const { generation, role, doc } = this.server;
    this.deliver(
      encoding.encode((e) => {
        encoding.writeVarUint(e, 100);
        encoding.writeVarString(e, generation);
        encoding.writeVarString(e, role);
        encoding.writeVarUint(e, 1);
      }),
    );
    this.deliver(encodeStep1(Y.encodeStateVector(doc)));
  }

  deliver(frame: Uint8Array): void {
    this.onmessage?.({ data: frame.slice().buffer });
  }

  acknowledge(settled = this.#updates): void {
    this.deliver(new Uint8Array([101, settled, 1]));
  }

  refuse(reason: string, sentence: string): void {
    this.deliver(
      encoding.encode((e) => {
        encoding.writeVarUint(e, 102);
        encoding.writeVarUint(e, this.#updates);
        encoding.writeVarString(e, reason);
        encoding.writeVarString(e, sentence);
      }),
    );
  }

  access(role: 'write' | 'read'): void {
    this.deliver(
      encoding.encode((e) => {
        encoding.writeVarUint(e, 103);
        encoding.writeVarString(e, role);
      }),
    );
  }

  send(frame: Uint8Array): void {
    const decoder = decoding.createDecoder(frame);
    const type = decoding.readVarUint(decoder);
    if (type !== 0) {
      this.heard.push('awareness');
      return;
    }
    const step = decoding.readVarUint(decoder);
    const payload = decoding.readVarUint8Array(decoder);
    this.heard.push(['step-1', 'step-2', 'update'][step] ?? 'unknown');
    if (step === 0) this.deliver(encodeStep2(Y.encodeStateAsUpdate(this.server.doc, payload)));
    else this.#write(payload);
  }

  #write(update: Uint8Array): void {
    this.#updates += 1;
    if (this.server.role === 'write') Y.applyUpdate(this.server.doc, update);
    if (this.server.acknowledges) this.acknowledge();
  }

  /** The server or the network ends the line. */
  drop(code = 1006): void {
    this.readyState = 3;
    this.onclose?.({ code });
  }

  close(): void {
    this.readyState = 3;
  }
}
