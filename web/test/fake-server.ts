import { afterEach } from 'vitest';
import { transport } from '../src/lib/api/request.ts';

export interface Call {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: unknown;
  credentials: RequestCredentials | undefined;
}

type Answer = Response | Error | ((call: Call, init: RequestInit) => Response | Promise<Response>);

/** A server in memory: answers by "METHOD /path", remembers who asked for what. Each answer in a list serves once. */
export class FakeServer {
  readonly calls: Call[] = [];
  readonly #answers = new Map<string, Answer[]>();

  constructor() {
    const before = transport.fetch;
    transport.fetch = (input, init) => this.#serve(String(input), init ?? {});
    afterEach(() => void (transport.fetch = before));
  }

  on(route: string, ...answers: Answer[]): this {
    this.#answers.set(route, answers);
    return this;
  }

  async #serve(url: string, init: RequestInit): Promise<Response> {
    const { pathname } = new URL(url, 'http://server.invalid');
    const call: Call = {
      method: init.method ?? 'GET',
      path: url,
      headers: init.headers as Record<string, string>,
      body: init.body ? JSON.parse(String(init.body)) : undefined,
      credentials: init.credentials,
    };
    this.calls.push(call);
    const answers = this.#answers.get(`${call.method} ${pathname}`);
    if (!answers) throw new TypeError(`Nothing answers ${call.method} ${pathname}`);
    const answer = answers.length > 1 ? answers.shift()! : answers[0]!;
    if (answer instanceof Error) throw answer;
    return answer instanceof Response ? answer.clone() : answer(call, init);
  }
}

export function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
}

export function problem(status: number, fields: Record<string, unknown> = {}, headers: HeadersInit = {}): Response {
  return new Response(JSON.stringify({ title: 'No.', status, ...fields }), {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
  });
}

/** An event stream that the test feeds piece by piece. */
export function eventStream() {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({ start: (made) => void (controller = made) });
  const encoder = new TextEncoder();
  return {
    /** Like the browser's, it breaks when the request is aborted. */
    answer: (_call: Call, { signal }: RequestInit) => {
      signal?.addEventListener('abort', () => {
        try {
          controller.error(new DOMException('Aborted', 'AbortError'));
        } catch {
          // Closed before.
        }
      });
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
    },
    send: (text: string) => controller.enqueue(encoder.encode(text)),
    end: () => controller.close(),
  };
}
