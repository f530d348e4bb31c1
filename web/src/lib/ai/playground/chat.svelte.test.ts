import { beforeEach, describe, expect, it, vi } from 'vitest';
import { eventStream, FakeServer, json } from '../../../../test/fake-server.ts';
import { memoryStorage } from '../../../../test/memory-storage.ts';
import { Chat } from './chat.svelte.ts';

const CALL = 'POST /ai/v1/chat/completions';
const said = (content: string) => `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`;
const whole = (content: string) => new Response(`${said(content)}data: [DONE]\n\n`);
const settled = (chat: Chat) => vi.waitFor(() => expect(chat.isUnderWay).toBe(false));

beforeEach(() => vi.stubGlobal('localStorage', memoryStorage()));

function say(chat: Chat, text: string): boolean {
  chat.draft = text;
  return chat.send();
}

function chatting(): Chat {
  const chat = new Chat();
  chat.model = 'lab/small';
  return chat;
}

describe('a conversation', () => {
  it('goes on with what was said, and remembers the model', async () => {
    const server = new FakeServer().on(CALL, whole('Hello.'), whole('Fine.'));
    const chat = chatting();
    chat.system = 'Be kind.';
    chat.temperature = '0.5';
    expect(say(chat, 'Hi')).toBe(true);
    expect(say(chat, 'twice')).toBe(false);
    expect(chat.draft).toBe('twice');
    await settled(chat);
    say(chat, 'How are you?');
    await settled(chat);
    expect(server.calls[1]!.body).toMatchObject({
      model: 'lab/small',
      temperature: 0.5,
      messages: [
        { role: 'system', content: 'Be kind.' },
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: 'Hello.' },
        { role: 'user', content: 'How are you?' },
      ],
    });
    expect(chat.turns.map(({ text, state }) => [text, state])).toEqual([
      ['Hello.', 'done'],
      ['Fine.', 'done'],
    ]);
    expect(new Chat().model).toBe('lab/small');
  });

  it('keeps what came until it was stopped', async () => {
    const stream = eventStream();
    new FakeServer().on(CALL, stream.answer);
    const chat = chatting();
    say(chat, 'Hi');
    stream.send(said('Hel'));
    await vi.waitFor(() => expect(chat.turns[0]!.text).toBe('Hel'));
    expect(chat.turns[0]!.firstWordMs).not.toBeNull();
    chat.stop();
    await settled(chat);
    expect(chat.turns[0]).toMatchObject({ state: 'stopped', text: 'Hel', problem: null });
  });

  it('asks again after a failure, without the first try in it', async () => {
    const server = new FakeServer().on(CALL, json({ error: { message: 'It is down.' } }, 503), whole('Back.'));
    const chat = chatting();
    say(chat, 'Hi');
    await settled(chat);
    expect(chat.turns[0]).toMatchObject({ state: 'failed', problem: { detail: 'It is down.' } });
    chat.retry();
    await settled(chat);
    expect(chat.turns.map(({ text, problem }) => [text, problem])).toEqual([['Back.', null]]);
    expect(server.calls[1]!.body).toMatchObject({ messages: [{ role: 'user', content: 'Hi' }] });
  });

  it('takes an answer that is there already, and asked again wants one of its own', async () => {
    const kept = new Response(`${said('Hello.')}data: [DONE]\n\n`, { headers: { 'x-opencode-cache': 'hit' } });
    const server = new FakeServer().on(CALL, kept, whole('Hi there.'));
    const chat = chatting();
    say(chat, 'Hi');
    await settled(chat);
    expect(chat.turns[0]!.kept).toEqual({ similarity: null });
    chat.retry();
    await settled(chat);
    expect([chat.turns[0]!.text, chat.turns[0]!.kept]).toEqual(['Hi there.', null]);
    expect(server.calls.map(({ headers }) => headers['cache-control'])).toEqual([undefined, 'no-store']);
  });

  it('is cleared, and comes back', async () => {
    new FakeServer().on(CALL, whole('Hello.'));
    const chat = chatting();
    say(chat, 'Hi');
    await settled(chat);
    const undo = chat.clear();
    expect(chat.turns).toEqual([]);
    undo();
    expect(chat.turns.map(({ question }) => question)).toEqual(['Hi']);
  });

  it('is not sent with parameters that are wrong', () => {
    const chat = chatting();
    for (const [temperature, mostTokens] of [['3', ''], ['x', ''], ['', '0'], ['', '1.5'], [' ', '']] as const) {
      Object.assign(chat, { temperature, mostTokens });
      expect(say(chat, 'Hi')).toBe(false);
    }
  });
});
