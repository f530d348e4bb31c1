import { noAnswer, problemFrom } from './problem.ts';
import { transport } from './request.ts';

export interface UploadOptions {
  signal: AbortSignal;
  /** Told again and again how many bytes have left. */
  onprogress: (sent: number) => void;
}

/**
 * Puts a file at a path, and answers with what the server says of it.
 *
 * By XMLHttpRequest: `fetch` does not tell how far it is. Throws `ApiProblem` for every refusal and for a server that
 * cannot be reached; an abort by `signal` is an `AbortError`.
 */
export async function upload<T>(path: string, file: Blob, { signal, onprogress }: UploadOptions): Promise<T> {
  signal.throwIfAborted();
  const response = await put(path, file, signal, onprogress);
  if (response.ok) return (await response.json()) as T;
  if (response.status === 401) transport.signedOut?.();
  throw await problemFrom(response);
}

function put(path: string, file: Blob, signal: AbortSignal, onprogress: (sent: number) => void): Promise<Response> {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    const stop = () => call.abort();
    call.open('PUT', path);
    call.setRequestHeader('accept', 'application/json');
    call.setRequestHeader('content-type', 'application/octet-stream');
    call.upload.onprogress = ({ loaded }) => onprogress(loaded);
    call.onload = () => resolve(answerOf(call));
    call.onerror = () => reject(noAnswer(new TypeError('The upload broke off.')));
    call.onabort = () => reject(signal.reason);
    call.onloadend = () => signal.removeEventListener('abort', stop);
    signal.addEventListener('abort', stop);
    call.send(file);
  });
}

function answerOf(call: XMLHttpRequest): Response {
  const wait = call.getResponseHeader('retry-after');
  return new Response(call.responseText, { status: call.status, headers: wait === null ? {} : { 'retry-after': wait } });
}
