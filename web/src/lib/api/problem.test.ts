import { describe, expect, it } from 'vitest';
import { FakeServer, json, problem, type Call } from '../../../test/fake-server.ts';
import { ApiProblem, problemFrom } from './problem.ts';
import { queryString, request } from './request.ts';

const failure = (promise: Promise<unknown>) => promise.then(() => expect.unreachable(), (error: ApiProblem) => error);

describe('a refusal', () => {
  it('keeps the words of the server, what to do included', async () => {
    new FakeServer().on('GET /x', problem(409, { title: 'Not live.', detail: 'It ended.', action: 'Open its replay.' }));
    const error = await failure(request('GET', '/x'));
    expect(error).toBeInstanceOf(ApiProblem);
    expect(error).toMatchObject({ status: 409, title: 'Not live.', detail: 'It ended.', action: 'Open its replay.' });
  });

  it('says which field is wrong', async () => {
    const errors = [{ pointer: '/email', detail: 'Taken.' }];
    new FakeServer().on('POST /x', problem(422, { errors }));
    const error = await failure(request('POST', '/x', { body: {} }));
    expect(error.field('email')).toBe('Taken.');
    expect(error.field('password')).toBeUndefined();
    expect(error.concernsOnly('email', 'password')).toBe(true);
    expect(error.concernsOnly('password')).toBe(false);
  });

  it('carries the seconds to wait, given as a number or as a date', async () => {
    expect((await problemFrom(problem(429, {}, { 'retry-after': '30' }))).retryAfter).toBe(30);
    const date = new Date(Date.now() + 60_000).toUTCString();
    const { retryAfter } = await problemFrom(problem(503, {}, { 'retry-after': date }));
    expect(retryAfter).toBeGreaterThan(57);
    expect(retryAfter).toBeLessThanOrEqual(60);
  });

  it('has words of our own when a proxy answers in HTML', async () => {
    const error = await problemFrom(new Response('<h1>Bad gateway</h1>', { status: 502 }));
    expect(error).toMatchObject({ title: 'The server could not do this.', action: 'Try again in a moment.' });
  });
});

describe('a server that cannot be reached', () => {
  it('is a problem like any other, with something to do', async () => {
    new FakeServer().on('GET /x', new TypeError('fetch failed'));
    const error = await failure(request('GET', '/x'));
    expect(error).toMatchObject({ status: 0, title: 'The server does not answer.', isOffline: true });
    expect(error.action).toContain('try again');
  });

  it('is told apart from a request that was called off', async () => {
    const abort = new AbortController();
    abort.abort();
    new FakeServer().on('GET /x', new DOMException('Aborted', 'AbortError'));
    expect(await failure(request('GET', '/x', { signal: abort.signal }))).not.toBeInstanceOf(ApiProblem);
  });
});

describe('a request', () => {
  it('speaks with the token alone when there is one, else with the cookie', async () => {
    const server = new FakeServer().on('GET /x', json({}));
    await request('GET', '/x', { token: 'secret' });
    await request('GET', '/x');
    expect(server.calls[0]).toMatchObject({ credentials: 'omit', headers: { authorization: 'Bearer secret' } });
    expect(server.calls[1]!.credentials).toBe('same-origin');
    expect(server.calls[1]!.headers.authorization).toBeUndefined();
  });

  it('is sent also when the page is left at that moment, if it changes something and the browser has room', async () => {
    const kept: unknown[] = [];
    const answer = (_: Call, { keepalive }: RequestInit) => {
      kept.push(keepalive);
      return json({});
    };
    new FakeServer().on('GET /x', answer).on('PUT /x', answer);
    await request('GET', '/x');
    await request('PUT', '/x');
    await request('PUT', '/x', { body: { note: 'short' } });
    await request('PUT', '/x', { body: { text: 'x'.repeat(5_000) } });
    expect(kept).toEqual([false, true, true, false]);
  });

  it('answers with nothing for 204', async () => {
    new FakeServer().on('DELETE /x', new Response(null, { status: 204 }));
    expect(await request('DELETE', '/x')).toBeUndefined();
  });

  it('leaves absent parameters out of the address', () => {
    expect(queryString({ limit: 50, cursor: null, q: 'a b', none: undefined, empty: '' })).toBe('?limit=50&q=a+b');
    expect(queryString()).toBe('');
  });
});
