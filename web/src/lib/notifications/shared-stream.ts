import { EventStream } from '#lib/api/events.ts';

interface Heard<T> {
  event: T;
  id: string | null;
}
/** What pages tell one another: a new one asks where things stand, and the one that listens tells what it heard. */
type Word<T> = { type: 'hello' } | { type: 'standing' | 'heard'; heard: Heard<T> };

export interface SharedStreamOptions<T> {
  url: string;
  /** Pages that name it alike share one connection. */
  name: string;
  onEvent: (event: T) => void;
  /** The server said no, and would again. */
  onRefused: () => void;
}

/**
 * One event stream for all pages of a browser: browsers open no more than six connections to a server over HTTP/1.1,
 * and a stream holds one for as long as it lives.
 *
 * The page that holds the lock listens and tells the others; when it goes, the next one goes on after the event that
 * it heard last. Where there are no locks (plain http) each page listens for itself.
 */
export class SharedStream<T> {
  readonly #options: SharedStreamOptions<T>;
  readonly #channel: BroadcastChannel | null;
  #turn: AbortController | null = null;
  #last: Heard<T> | null = null;
  #speaks = false;

  constructor(options: SharedStreamOptions<T>) {
    this.#options = options;
    this.#channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel(options.name);
    if (this.#channel) this.#channel.onmessage = ({ data }) => this.#overhear(data as Word<T>);
    this.#say({ type: 'hello' });
  }

  /** Listens, now or when it is this page's turn. */
  join(): void {
    if (this.#turn) return;
    const turn = new AbortController();
    this.#turn = turn;
    const { locks } = globalThis.navigator ?? {};
    if (!locks || !this.#channel) void this.#speak(turn.signal);
    else locks.request(this.#options.name, { signal: turn.signal }, () => this.#speak(turn.signal)).catch(ignoreAbort);
  }

  /** Lets others listen; what they hear is still heard here. */
  leave(): void {
    this.#turn?.abort();
    this.#turn = null;
  }

  close(): void {
    this.leave();
    this.#channel?.close();
  }

  #speak(turn: AbortSignal): Promise<void> {
    return new Promise((done) => {
      const stream = new EventStream<T>({
        url: this.#options.url,
        after: this.#last?.id,
        onEvent: (event, id) => this.#hear({ event, id }),
        onState: (state) => {
          if (state === 'refused') this.#options.onRefused();
        },
      });
      this.#speaks = true;
      turn.addEventListener('abort', () => {
        this.#speaks = false;
        stream.stop();
        done();
      });
      stream.start();
    });
  }

  #hear(heard: Heard<T>): void {
    this.#last = heard;
    this.#say({ type: 'heard', heard });
    this.#options.onEvent(heard.event);
  }

  #overhear(word: Word<T>): void {
    if (word.type === 'hello') {
      if (this.#speaks && this.#last) this.#say({ type: 'standing', heard: this.#last });
      return;
    }
    // Only who knows nothing yet has asked for it.
    if (word.type === 'standing' && this.#last) return;
    this.#last = word.heard;
    this.#options.onEvent(word.heard.event);
  }

  #say(word: Word<T>): void {
    this.#channel?.postMessage(word);
  }
}

function ignoreAbort(error: unknown): void {
  if (!(error instanceof Error && error.name === 'AbortError')) throw error;
}
