import { backoffMs } from '#lib/collaboration/backoff.ts';
import { readCloseCode, readTicketStatus, type Closing, type StopReason } from '#lib/collaboration/closing.ts';
import type { TerminalSize } from '#lib/api/types.ts';

const OPEN = 1;
const ENDED = 1000;
/** What a frame may hold; a large paste goes in several. */
const LARGEST_FRAME = 16 * 1024;

export type TerminalPhase = 'connecting' | 'live' | 'waiting' | 'ended' | 'stopped';

export interface TerminalOptions {
  /** Without the ticket, which travels as a subprotocol. */
  url: string;
  /** A fresh ticket; rejects with an error that has `status` when the server refused. */
  ticket: () => Promise<string>;
  /** Bytes that the program printed. */
  onOutput: (bytes: Uint8Array) => void;
  /** What was printed is about to be told again from its beginning. */
  onRestart: () => void;
  Socket?: typeof WebSocket;
  random?: () => number;
}

interface State extends TerminalSize {
  type: 'state';
  may_type: boolean;
}

/** One person's line to the terminal of a run, which everybody in the interview sees; it comes back after a loss. */
export class TerminalSession {
  phase = $state<TerminalPhase>('connecting');
  mayType = $state(false);
  /** As the program sees it; another person may have chosen it. */
  size = $state.raw<TerminalSize | null>(null);
  stopped = $state<StopReason | null>(null);

  readonly #options: TerminalOptions;
  #socket: WebSocket | null = null;
  #attempt = 0;
  /** Grows with every attempt and on close: an answer that belongs to an older one is dropped. */
  #epoch = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(options: TerminalOptions) {
    this.#options = options;
  }

  open(): void {
    void this.#connect();
  }

  close(): void {
    this.#hangUp();
  }

  type(keys: string): void {
    if (!this.mayType) return;
    const bytes = new TextEncoder().encode(keys);
    for (let from = 0; from < bytes.length; from += LARGEST_FRAME) this.#send(bytes.slice(from, from + LARGEST_FRAME));
  }

  resize(size: TerminalSize): void {
    if (size.columns === this.size?.columns && size.rows === this.size.rows) return;
    this.#send(JSON.stringify({ type: 'resize', ...size }));
  }

  signal(name: string): void {
    this.#send(JSON.stringify({ type: 'signal', signal: name }));
  }

  endInput(): void {
    this.#send(JSON.stringify({ type: 'eof' }));
  }

  async #connect(): Promise<void> {
    const epoch = ++this.#epoch;
    this.phase = 'connecting';
    let ticket: string;
    try {
      ticket = await this.#options.ticket();
    } catch (error) {
      if (epoch === this.#epoch) this.#end(readTicketStatus((error as { status?: number }).status));
      return;
    }
    if (epoch === this.#epoch) this.#dial(ticket);
  }

  #dial(ticket: string): void {
    const Socket = this.#options.Socket ?? WebSocket;
    const socket = new Socket(this.#options.url, [`ocp.ticket.${ticket}`]);
    socket.binaryType = 'arraybuffer';
    socket.onmessage = ({ data }: MessageEvent) => {
      if (socket === this.#socket) this.#hear(data);
    };
    socket.onclose = ({ code }: CloseEvent) => {
      if (socket !== this.#socket) return;
      if (code === ENDED) this.#finish();
      else this.#end(readCloseCode(code));
    };
    this.#socket = socket;
  }

  #hear(data: unknown): void {
    if (data instanceof ArrayBuffer) {
      this.#options.onOutput(new Uint8Array(data));
      return;
    }
    const word = JSON.parse(String(data)) as State | { type: 'exit' };
    if (word.type === 'exit') this.#finish();
    else if (word.type === 'state') this.#take(word);
  }

  #take({ columns, rows, may_type: mayType }: State): void {
    if (this.phase === 'connecting') {
      // The first word on a new line: everything that was printed comes after it.
      this.#options.onRestart();
      this.#attempt = 0;
      this.phase = 'live';
    }
    this.size = { columns, rows };
    this.mayType = mayType;
  }

  #finish(): void {
    this.#hangUp();
    this.phase = 'ended';
  }

  #end(closing: Closing): void {
    this.#hangUp();
    if (closing.kind === 'stop') {
      this.stopped = closing.reason;
      this.phase = 'stopped';
      return;
    }
    this.phase = 'waiting';
    this.#retry = setTimeout(() => void this.#connect(), backoffMs(this.#attempt++, this.#options.random));
  }

  #send(frame: string | Uint8Array<ArrayBuffer>): void {
    if (this.#socket?.readyState === OPEN) this.#socket.send(frame);
  }

  #hangUp(): void {
    this.#epoch += 1;
    clearTimeout(this.#retry);
    const socket = this.#socket;
    this.#socket = null;
    this.mayType = false;
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
  }
}
