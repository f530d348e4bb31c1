import { describe, expect, it } from 'vitest';
import { eventStream, FakeServer, json } from '../../../test/fake-server.ts';
import { ChatReader, streamChat, type ChatPiece } from './completions.ts';
import { ApiProblem } from './problem.ts';

const CALL = 'POST /ai/v1/chat/completions';
const ASKED = { model: 'lab/small', messages: [{ role: 'user' as const, content: 'Hello' }] };
const chunk = (fields: object) => `data: ${JSON.stringify(fields)}\r\n\r\n`;
const said = (content: string) => chunk({ choices: [{ delta: { content }, finish_reason: null }] });
const STREAM =
  ': a comment\n\n' +
  chunk({ choices: [{ delta: { role: 'assistant', content: '' } }], usage: null }) +
  chunk({ choices: [{ delta: { reasoning_content: 'Hm.' } }] }) +
  said('Grüße, ') +
  said('wörld 🌍') +
  chunk({ choices: [{ delta: {}, finish_reason: 'stop' }] }) +
  chunk({ choices: [], usage: { prompt_tokens: 5, completion_tokens: 4 } }) +
  'data: [DONE]\n\n';

function joined(pieces: readonly ChatPiece[]) {
  return {
    text: pieces.map(({ text }) => text ?? '').join(''),
    thought: pieces.map(({ thought }) => thought ?? '').join(''),
    usage: pieces.find(({ usage }) => usage)?.usage,
    end: pieces.find(({ end }) => end)?.end,
  };
}

async function answerOf(signal = new AbortController().signal): Promise<ChatPiece[]> {
  const pieces: ChatPiece[] = [];
  for await (const arrived of streamChat(ASKED, { signal })) pieces.push(...arrived);
  return pieces;
}

describe('a streamed answer', () => {
  it('is the same wherever it is cut', () => {
    const whole = { text: 'Grüße, wörld 🌍', thought: 'Hm.', usage: { input: 5, output: 4 }, end: 'stop' };
    for (let cut = 0; cut <= STREAM.length; cut += 1) {
      const reader = new ChatReader();
      const pieces = [...reader.push(STREAM.slice(0, cut)), ...reader.push(STREAM.slice(cut))];
      expect(joined(pieces)).toEqual(whole);
      expect(reader.isOver).toBe(true);
    }
  });

  it('is whole also when bytes of one letter come apart', async () => {
    const bytes = new TextEncoder().encode(STREAM);
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of bytes) controller.enqueue(new Uint8Array([byte]));
        controller.close();
      },
    });
    const server = new FakeServer().on(CALL, new Response(body));
    expect(joined(await answerOf()).text).toBe('Grüße, wörld 🌍');
    expect(server.calls[0]!.body).toMatchObject({ stream: true, stream_options: { include_usage: true } });
  });

  it('says first whether it was there already, and how near its question was', async () => {
    const told = (headers: HeadersInit) => new Response(STREAM, { headers });
    const near = { 'x-opencode-cache': 'semantic', 'x-opencode-cache-similarity': '0.9731' };
    new FakeServer().on(CALL, told({ 'x-opencode-cache': 'hit' }), told(near), told({ 'x-opencode-cache': 'miss' }));
    expect((await answerOf())[0]).toEqual({ kept: { similarity: null } });
    expect((await answerOf())[0]).toEqual({ kept: { similarity: 0.9731 } });
    expect((await answerOf()).filter(({ kept }) => kept)).toEqual([]);
  });

  it('that ends without its end has broken off, and so has one with an error in it', async () => {
    new FakeServer().on(CALL, new Response(said('Hel')), new Response(said('Hel') + chunk({ error: { message: 'It died.' } })));
    await expect(answerOf()).rejects.toMatchObject({ title: 'The answer broke off.', detail: null });
    await expect(answerOf()).rejects.toMatchObject({ title: 'The answer broke off.', detail: 'It died.' });
  });

  it('that is refused says why in the words of the gateway', async () => {
    const refused = json({ error: { message: 'You may have 5 calls. Try again in 3 s.', code: 'rate' } }, 429);
    new FakeServer().on(CALL, refused, new Response('<html>', { status: 502 }), new TypeError('no network'));
    await expect(answerOf()).rejects.toMatchObject({ title: 'A limit is reached.', detail: /Try again in 3 s/ });
    await expect(answerOf()).rejects.toMatchObject({ status: 502, action: 'Try again, or choose another model.' });
    await expect(answerOf()).rejects.toMatchObject({ isOffline: true });
  });

  it('that is stopped is no problem of anybody', async () => {
    const stream = eventStream();
    new FakeServer().on(CALL, stream.answer);
    const abort = new AbortController();
    const answer = streamChat(ASKED, { signal: abort.signal });
    stream.send(said('Hel'));
    expect(await answer.next()).toEqual({ done: false, value: [{ text: 'Hel' }] });
    abort.abort();
    await expect(answer.next()).rejects.not.toBeInstanceOf(ApiProblem);
  });
});
