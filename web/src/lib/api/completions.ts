import { EventStreamParser } from './event-parser.ts';
import { ApiProblem, noAnswer } from './problem.ts';
import { transport } from './request.ts';

const CALL = '/ai/v1/chat/completions';

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

export interface ChatRequest {
  model: string;
  messages: ChatMessage[];
  temperature?: number;
  max_tokens?: number;
}

export interface Usage {
  input: number;
  output: number;
}

/** An answer that the gateway had already: of the very same question, or of one like it. */
export interface Kept {
  /** Up to 1; null when the same was asked. */
  similarity: number | null;
}

/** What one chunk of an answer brings; what it does not bring is absent. */
export interface ChatPiece {
  text?: string;
  thought?: string;
  usage?: Usage;
  /** Why the model stopped: `stop`, `length`, `content_filter`… */
  end?: string;
  /** Told before all else, where the answer is not a new one. */
  kept?: Kept;
}

export interface ChatOptions {
  signal: AbortSignal;
  /** Wants an answer of its own, whatever the gateway has already. */
  fresh?: boolean;
}

/**
 * An answer as the gateway streams it; each time what has arrived together.
 *
 * Throws `ApiProblem` for a refusal, for an error inside the stream and for a stream that ends without its end; an
 * abort by `signal` stays the `AbortError` that it is.
 */
export async function* streamChat(body: ChatRequest, options: ChatOptions): AsyncGenerator<ChatPiece[]> {
  const { signal } = options;
  const response = await open(body, options);
  if (!response.ok) throw await refusal(response);
  const kept = keptOf(response.headers);
  if (kept) yield [{ kept }];
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const chat = new ChatReader();
  try {
    while (!chat.isOver) {
      const { done, value } = await reader.read();
      if (done) throw brokenOff();
      yield chat.push(value);
    }
  } catch (error) {
    if (signal.aborted || error instanceof ApiProblem) throw error;
    throw brokenOff(error);
  } finally {
    void reader.cancel().catch(() => {});
  }
}

/** Reads the text of a stream, however it is cut. */
export class ChatReader {
  /** The end has come that a whole answer has. */
  isOver = false;
  readonly #events = new EventStreamParser();

  push(text: string): ChatPiece[] {
    const pieces: ChatPiece[] = [];
    for (const { data } of this.#events.push(text)) {
      if (this.isOver) break;
      if (data === '[DONE]') this.isOver = true;
      else pieces.push(pieceOf(data));
    }
    return pieces;
  }
}

interface Chunk {
  error?: { message?: string };
  choices?: { delta?: { content?: string | null; reasoning_content?: string | null }; finish_reason?: string | null }[];
  usage?: { prompt_tokens: number; completion_tokens: number } | null;
}

function pieceOf(data: string): ChatPiece {
  const chunk = JSON.parse(data) as Chunk;
  if (chunk.error) throw brokenOff(undefined, chunk.error.message);
  const choice = chunk.choices?.[0];
  const { content, reasoning_content } = choice?.delta ?? {};
  return {
    ...(content ? { text: content } : {}),
    ...(reasoning_content ? { thought: reasoning_content } : {}),
    ...(choice?.finish_reason ? { end: choice.finish_reason } : {}),
    ...(chunk.usage ? { usage: { input: chunk.usage.prompt_tokens, output: chunk.usage.completion_tokens } } : {}),
  };
}

function keptOf(headers: Headers): Kept | null {
  const outcome = headers.get('x-opencode-cache');
  if (outcome === 'hit') return { similarity: null };
  return outcome === 'semantic' ? { similarity: Number(headers.get('x-opencode-cache-similarity')) } : null;
}

async function open(body: ChatRequest, { signal, fresh = false }: ChatOptions): Promise<Response> {
  try {
    return await transport.fetch(CALL, {
      method: 'POST',
      headers: {
        accept: 'text/event-stream',
        'content-type': 'application/json',
        // The browser keeps no POST. Told `cache: 'no-store'` it would tell the gateway as well, each time.
        ...(fresh ? { 'cache-control': 'no-store' } : {}),
      },
      body: JSON.stringify({ ...body, stream: true, stream_options: { include_usage: true } }),
      credentials: 'same-origin',
      signal,
    });
  } catch (error) {
    if (signal.aborted) throw error;
    throw noAnswer(error);
  }
}

/** The gateway refuses in the dialect's words: what happened and what to do are one message there. */
async function refusal(response: Response): Promise<ApiProblem> {
  const { status } = response;
  if (status === 401) transport.signedOut?.();
  const told = (await response.json().catch(() => null)) as Chunk | null;
  const message = told?.error?.message;
  return new ApiProblem({
    status,
    title: TITLES[status] ?? (status >= 500 ? 'The model could not answer.' : 'The model refused this.'),
    detail: typeof message === 'string' ? message : null,
    action: status >= 500 ? 'Try again, or choose another model.' : null,
  });
}

const TITLES: Record<number, string> = {
  401: 'You are not signed in.',
  403: 'You may not do this.',
  404: 'This model is not there.',
  413: 'This is too long for the model.',
  429: 'A limit is reached.',
};

function brokenOff(cause?: unknown, message?: string): ApiProblem {
  return new ApiProblem(
    {
      status: 502,
      title: 'The answer broke off.',
      detail: message ?? null,
      action: 'What came until then is above. Try again, or choose another model.',
    },
    { cause },
  );
}
