import { noAnswer, problemFrom, type ApiProblem } from './problem.ts';

type Value = string | number | boolean | null | undefined;
/** A list is sent as the same name several times. */
export type Query = Record<string, Value | readonly string[]>;

export interface RequestOptions {
  query?: Query;
  body?: unknown;
  /** A candidate's token. Without one, the cookie of the signed-in person speaks. */
  token?: string | null;
  signal?: AbortSignal;
  /** Lets a creation be sent again after a lost answer without creating twice. */
  idempotencyKey?: string;
  /** The revision that a change is made for: 412 when there is a later one. */
  revision?: number | string;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** How the whole interface reaches the server. Tests put their own function in its place. */
export const transport: {
  fetch: typeof fetch;
  /** Called when the server no longer takes the cookie: signed out elsewhere, or expired. */
  signedOut: (() => void) | null;
} = {
  fetch: (input, init) => globalThis.fetch(input, init),
  signedOut: null,
};

/**
 * Calls the API and answers with the parsed body (`undefined` for 204).
 *
 * Throws `ApiProblem` for every refusal and for a server that cannot be reached; an abort by `signal` stays the
 * `AbortError` that it is.
 */
export async function request<T>(method: Method, path: string, options: RequestOptions = {}): Promise<T> {
  const response = await send(method, path, options);
  if (!response.ok) throw await refusal(response, path, options);
  return response.status === 204 ? (undefined as T) : ((await response.json()) as T);
}

// Of all that is under way together the browser lets 64 KiB outlive a page, and refuses what is more.
const LARGEST_KEPT_ALIVE = 4_096;

async function send(method: Method, path: string, options: RequestOptions): Promise<Response> {
  const body = options.body === undefined ? undefined : JSON.stringify(options.body);
  try {
    return await transport.fetch(path + queryString(options.query), {
      method,
      headers: headers(options),
      body,
      signal: options.signal,
      credentials: credentialsFor(options.token),
      cache: 'no-store',
      // What somebody pressed, and may see as done already, is sent also when they leave the page at this moment.
      keepalive: method !== 'GET' && (body?.length ?? 0) <= LARGEST_KEPT_ALIVE,
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw noAnswer(error);
  }
}

async function refusal(response: Response, path: string, { token }: RequestOptions): Promise<ApiProblem> {
  // Signing in answers 401 for a wrong password, which says nothing about the cookie.
  if (response.status === 401 && !token && !path.startsWith('/api/v1/auth/')) transport.signedOut?.();
  return problemFrom(response);
}

function headers({ body, token, idempotencyKey, revision }: RequestOptions): Record<string, string> {
  return {
    accept: 'application/json',
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(token ? { authorization: `Bearer ${token}` } : {}),
    ...(idempotencyKey ? { 'idempotency-key': idempotencyKey } : {}),
    ...(revision === undefined ? {} : { 'if-match': `"${revision}"` }),
  };
}

/** With a token the cookie stays at home: who joins one's own interview as a candidate is the candidate there. */
export function credentialsFor(token: string | null | undefined): RequestCredentials {
  return token ? 'omit' : 'same-origin';
}

export function queryString(query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, given] of Object.entries(query)) {
    for (const value of [given].flat()) {
      if (value !== null && value !== undefined && value !== '') parameters.append(name, String(value));
    }
  }
  const text = parameters.toString();
  return text ? `?${text}` : '';
}
