import { EventStreamParser } from './event-parser.ts';
import { ApiProblem, asProblem, noAnswer, problemFrom } from './problem.ts';
import { credentialsFor, transport } from './request.ts';

/** The server sends a comment every 10 s; after two missed ones and some slack the line counts as dead. */
export const SILENCE_MS = 25_000;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 15_000;

/** `waiting`: lost, will try again; `refused`: the server said no and trying again would not help. */
export type StreamState = 'idle' | 'connecting' | 'open' | 'waiting' | 'refused' | 'stopped';

export interface EventStreamOptions<T> {
  url: string;
  token?: string | null;
  /** Resume after this event on the first connect. */
  after?: string | number | null;
  onEvent: (event: T, id: string | null) => void;
  onState?: (state: StreamState, problem: ApiProblem | null) => void;
  /** Chance as an argument, so that tests are exact. */
  random?: () => number;
}

/**
 * Server-sent events over `fetch`, because a candidate's token must stay in a header.
 *
 * Comes back by itself with `Last-Event-ID`, full jitter and growing pauses, at once when the browser reports that
 * the network is back, and also when a line that looks open has been silent for `SILENCE_MS`.
 */
export class EventStream<T> {
  state: StreamState = 'idle';

  readonly #options: EventStreamOptions<T>;
  #lastEventId: string | null;
  #attempt = 0;
  #retryMs: number | null = null;
  #abort: AbortController | null = null;
  #wake: (() => void) | null = null;
  #silence: ReturnType<typeof setTimeout> | undefined;

  constructor(options: EventStreamOptions<T>) {
    this.#options = options;
    this.#lastEventId = options.after == null ? null : String(options.after);
  }

  start(): void {
    if (this.#abort) return;
    this.#abort = new AbortController();
    globalThis.addEventListener?.('online', this.#comeBackNow);
    void this.#live(this.#abort);
  }

  stop(): void {
    this.#end('stopped', null);
  }

  async #live(life: AbortController): Promise<void> {
    while (!life.signal.aborted) {
      this.#tell('connecting', null);
      const problem = await this.#connectOnce(life.signal);
      if (life.signal.aborted) return;
      if (problem && isFinal(problem)) return this.#end('refused', problem);
      this.#tell('waiting', problem);
      await this.#pause(this.#delayMs(problem));
    }
  }

  /** Reads until the line ends, and says why it did. */
  async #connectOnce(life: AbortSignal): Promise<ApiProblem> {
    const line = new AbortController();
    const giveUp = () => line.abort();
    life.addEventListener('abort', giveUp);
    try {
      this.#expectSign(line);
      const response = await this.#open(line.signal);
      if (!response.ok) return await problemFrom(response);
      this.#tell('open', null);
      await this.#read(response, line);
      return noAnswer(new Error('The event stream ended.'));
    } catch (error) {
      return isAbortOrNetwork(error) ? noAnswer(error) : asProblem(error);
    } finally {
      clearTimeout(this.#silence);
      life.removeEventListener('abort', giveUp);
      line.abort();
    }
  }

  #open(signal: AbortSignal): Promise<Response> {
    const { url, token } = this.#options;
    return transport.fetch(url, {
      headers: {
        accept: 'text/event-stream',
        ...(this.#lastEventId === null ? {} : { 'last-event-id': this.#lastEventId }),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      },
      credentials: credentialsFor(token),
      cache: 'no-store',
      signal,
    });
  }

  async #read(response: Response, line: AbortController): Promise<void> {
    const parser = new EventStreamParser();
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      this.#expectSign(line);
      this.#attempt = 0;
      for (const event of parser.push(value)) this.#deliver(event.data, event.id);
      this.#retryMs = parser.retryMs ?? this.#retryMs;
    }
  }

  #deliver(data: string, id: string | null): void {
    if (this.#abort?.signal.aborted) return;
    // Counted before it is handled: a listener that throws must not get the same event for ever.
    if (id !== null) this.#lastEventId = id;
    this.#options.onEvent(JSON.parse(data) as T, id);
  }

  #expectSign(line: AbortController): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => line.abort(), SILENCE_MS);
  }

  #delayMs(problem: ApiProblem | null): number {
    const random = this.#options.random ?? Math.random;
    const ceiling = Math.min(LONGEST_DELAY_MS, (this.#retryMs ?? FIRST_DELAY_MS) * 2 ** this.#attempt);
    this.#attempt += 1;
    return Math.max((problem?.retryAfter ?? 0) * 1000, random() * ceiling);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #comeBackNow = (): void => {
    this.#attempt = 0;
    this.#wake?.();
  };

  #tell(state: StreamState, problem: ApiProblem | null): void {
    if (this.state === state && problem === null) return;
    this.state = state;
    this.#options.onState?.(state, problem);
  }

  #end(state: 'stopped' | 'refused', problem: ApiProblem | null): void {
    if (!this.#abort || this.#abort.signal.aborted) return;
    globalThis.removeEventListener?.('online', this.#comeBackNow);
    this.#abort.abort();
    this.#wake?.();
    this.#tell(state, problem);
  }
}

/** The server understood and said no: another attempt gets the same answer. Too many or too busy is not that. */
function isFinal({ status }: ApiProblem): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 425 && status !== 429;
}

function isAbortOrNetwork(error: unknown): boolean {
  return error instanceof TypeError || (error instanceof Error && error.name === 'AbortError');
}
