/** One wrong field: `pointer` is a JSON pointer into the request (`/email`). */
export interface FieldError {
  pointer: string;
  detail: string;
}

interface ProblemFields {
  status: number;
  title: string;
  detail?: string | null;
  action?: string | null;
  type?: string | null;
  request_id?: string | null;
  errors?: FieldError[] | null;
  retryAfter?: number | null;
}

/**
 * A refusal in the words of the server (RFC 9457), or our own words when the server could not be heard.
 * `status` is 0 when no answer came at all; `retryAfter` counts seconds.
 */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly status: number;
  readonly title: string;
  readonly detail: string | null;
  readonly action: string | null;
  readonly type: string | null;
  readonly requestId: string | null;
  readonly errors: readonly FieldError[];
  readonly retryAfter: number | null;

  constructor(fields: ProblemFields, options?: ErrorOptions) {
    super(fields.detail ?? fields.title, options);
    this.status = fields.status;
    this.title = fields.title;
    this.detail = fields.detail ?? null;
    this.action = fields.action ?? null;
    this.type = fields.type ?? null;
    this.requestId = fields.request_id ?? null;
    this.errors = fields.errors ?? [];
    this.retryAfter = fields.retryAfter ?? null;
  }

  /** No answer came: the network is down or the server is. */
  get isOffline(): boolean {
    return this.status === 0;
  }

  /** What is wrong with one field of the form, by the name it has in the API. */
  field(name: string): string | undefined {
    return this.errors.find((error) => error.pointer === `/${name}` || error.pointer === name)?.detail;
  }

  /** True when every complaint belongs to one of these fields, so that no general message is needed. */
  concernsOnly(...names: string[]): boolean {
    return this.errors.length > 0 && this.errors.every(({ pointer }) => names.includes(pointer.replace(/^\//, '')));
  }
}

export function noAnswer(cause: unknown): ApiProblem {
  return new ApiProblem(
    {
      status: 0,
      title: 'The server does not answer.',
      action: 'Check your connection, then try again.',
    },
    { cause },
  );
}

/** Turns whatever was thrown into something that can be shown. */
export function asProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  return new ApiProblem(
    {
      status: 500,
      title: 'This page ran into an error.',
      detail: error instanceof Error ? error.message : null,
      action: 'Load the page again.',
    },
    { cause: error },
  );
}

/** Reads a refusal. Proxies answer in HTML or not at all, so nothing is taken for granted about the body. */
export async function problemFrom(response: Response): Promise<ApiProblem> {
  const body = await readObject(response);
  const status = response.status;
  return new ApiProblem({
    status,
    title: text(body.title) ?? fallbackTitle(status),
    detail: text(body.detail),
    action: text(body.action) ?? fallbackAction(status),
    type: text(body.type),
    request_id: text(body.request_id),
    errors: fieldErrors(body.errors),
    retryAfter: retryAfter(response.headers.get('retry-after')),
  });
}

async function readObject(response: Response): Promise<Record<string, unknown>> {
  try {
    const body: unknown = await response.json();
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function fieldErrors(value: unknown): FieldError[] {
  if (!Array.isArray(value)) return [];
  return value.filter(
    (error): error is FieldError => typeof error?.pointer === 'string' && typeof error?.detail === 'string',
  );
}

function retryAfter(header: string | null): number | null {
  if (header === null) return null;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, Math.ceil((date - Date.now()) / 1000));
}

function fallbackTitle(status: number): string {
  if (status === 401) return 'You are not signed in.';
  if (status === 403) return 'You may not do this.';
  if (status === 404) return 'This does not exist, or not any more.';
  if (status === 429) return 'That was too often.';
  return status >= 500 ? 'The server could not do this.' : 'The server refused this.';
}

function fallbackAction(status: number): string | null {
  if (status === 401) return 'Sign in, then try again.';
  if (status === 429) return 'Wait a moment, then try again.';
  return status >= 500 ? 'Try again in a moment.' : null;
}
