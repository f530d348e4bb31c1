import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Interview, InterviewEvent, Message, Participant, SeenSignal, Signal } from '#lib/api/types.ts';
import { Announcer } from './announcer.svelte.ts';
import { Chat } from './chat.svelte.ts';
import { Layout } from './layout.svelte.ts';
import { LiveInterview } from './live-interview.svelte.ts';
import { describeSignal, Monitor } from './monitor.svelte.ts';
import { IDLE_AFTER_MS, Observer } from './observer.ts';
import { clockTime, remaining } from './timer.svelte.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const AT = '2026-01-02T03:04:05Z';
const interview: Interview = {
  id: 'int_1',
  code: '481205',
  title: 'First round',
  state: 'live',
  language: 'python',
  languages: ['python'],
  frozen: false,
  document_id: 'doc_1',
  duration_minutes: 45,
  interviewer: { id: 'usr_1', name: 'Grace' },
  created_at: AT,
  started_at: AT,
  ends_at: null,
  ended_at: null,
};
const person = (id: string, fields: Partial<Participant> = {}): Participant => ({
  id,
  name: id,
  role: 'candidate',
  status: 'admitted',
  colour: 1,
  online: true,
  joined_at: AT,
  admitted_at: AT,
  ...fields,
});
const grace = person('par_1', { role: 'interviewer', joined_at: '2026-01-02T04:00:00Z' });
const room = () => new LiveInterview({ id: 'usr_1', name: 'Grace', role: 'interviewer' }, interview, [grace]);

describe('an interview that goes on', () => {
  it('shows who waits, who is here, and nobody twice', () => {
    const live = room();
    const joined: InterviewEvent = { type: 'participant.joined', at: AT, participant: person('ada', { status: 'waiting' }) };
    live.reduce(joined);
    live.reduce(joined);
    expect(live.waiting.map(({ id }) => id)).toEqual(['ada']);
    live.reduce({ type: 'participant.admitted', at: AT, participant: person('ada') });
    expect(live.waiting).toEqual([]);
    expect(live.present.map(({ id }) => id)).toEqual(['par_1', 'ada']);
  });

  it.each(['left', 'removed', 'declined'] as const)('forgets a person who %s', (status) => {
    const live = room();
    live.reduce({ type: 'participant.joined', at: AT, participant: person('ada') });
    live.reduce({ type: `participant.${status}`, at: AT, participant: person('ada', { status }) });
    expect(live.participants.map(({ id }) => id)).toEqual(['par_1']);
  });

  it('keeps the own place of somebody who was removed, so that they are told', () => {
    const live = new LiveInterview({ id: 'ada', name: 'Ada', role: 'candidate' }, interview, [grace, person('ada')]);
    live.reduce({ type: 'participant.removed', at: AT, participant: person('ada', { status: 'removed' }) });
    expect(live.own?.status).toBe('removed');
  });

  it('does not go back to an answer that is older than what the stream has told', async () => {
    const live = room();
    let answer!: (interview: Interview) => void;
    const call = new Promise<Interview>((resolve) => (answer = resolve));
    const settled = live.answered(call, (interview) => live.replace(interview));
    live.reduce({ type: 'language.changed', at: AT, language: 'bash', by: null });
    live.reduce({ type: 'language.changed', at: AT, language: 'javascript', by: null });
    answer({ ...interview, language: 'bash' });
    await settled;
    expect(live.interview.language).toBe('javascript');
    await live.answered(Promise.resolve({ ...interview, language: 'c' }), (interview) => live.replace(interview));
    expect(live.interview.language).toBe('c');
  });

  it('follows title, language, freezing and the end', () => {
    const live = room();
    live.reduce({ type: 'language.changed', at: AT, language: 'c', by: null });
    live.reduce({ type: 'interview.frozen', at: AT, frozen: true, by: null });
    live.reduce({ type: 'interview.changed', at: AT, interview: { ...live.interview, title: 'New' } });
    expect(live.interview).toMatchObject({ language: 'c', languages: ['python', 'c'], frozen: true, title: 'New' });
    live.reduce({ type: 'interview.ended', at: AT, interview: { ...interview, state: 'ended' } });
    expect(live.ended).toBe(true);
  });
});

describe('chat', () => {
  const message = (id: string): Message => ({ id, author: { id: 'ada', name: 'Ada', role: 'candidate' }, text: id, at: AT });

  it('takes a message once, from whichever side it comes first', async () => {
    const chat = new Chat({ say: async () => message('m1') } as never);
    chat.draft = 'hello';
    await chat.send();
    chat.take(message('m1'), true);
    expect(chat.messages).toHaveLength(1);
    expect(chat.draft).toBe('');
  });

  it('gives the text back when it could not be sent', async () => {
    const chat = new Chat({ say: () => Promise.reject(new Error('offline')) } as never);
    chat.draft = 'hello';
    await expect(chat.send()).rejects.toThrow('offline');
    expect(chat.draft).toBe('hello');
  });

  it('counts what was not read yet', () => {
    const chat = new Chat({} as never);
    chat.take(message('m1'), false);
    chat.take(message('m2'), true);
    expect(chat.unread).toBe(1);
    chat.look(true);
    chat.take(message('m3'), false);
    expect(chat.unread).toBe(0);
  });
});

describe('the monitor', () => {
  const signal = (second: number, kind: Signal['kind'], rest: Partial<Signal> = {}): SeenSignal => ({
    kind,
    participant_id: 'ada',
    at: `2026-01-02T03:04:0${second}Z`,
    ...rest,
  });

  it('adds up pastes, absences and pauses, each once', () => {
    const monitor = new Monitor();
    monitor.load([signal(2, 'focus_returned', { duration_ms: 4_000 }), signal(1, 'focus_lost')]);
    monitor.take(signal(3, 'paste', { size: 120, line: 4 }));
    monitor.take(signal(3, 'paste', { size: 120, line: 4 }));
    expect(monitor.summary).toMatchObject({ pastes: 1, pastedCharacters: 120, absences: 1, awayMs: 4_000 });
    expect(monitor.away.has('ada')).toBe(false);
    monitor.take(signal(5, 'focus_lost'));
    expect(monitor.away.has('ada')).toBe(true);
  });

  it('says it in words', () => {
    expect(describeSignal(signal(1, 'paste', { size: 1, line: 4 }))).toBe('Pasted 1 character at line 4');
    expect(describeSignal(signal(1, 'focus_returned', { duration_ms: 65_000 }))).toBe('Was away for 1 min 5 s');
  });
});

describe('what the candidate’s page observes', () => {
  const observe = () => {
    const sent: Signal[][] = [];
    const observer = new Observer(async (signals) => void sent.push(signals));
    const page = Object.assign(new EventTarget(), { hidden: false }) as unknown as Document;
    const view = new EventTarget() as unknown as Window;
    observer.start(page, view);
    return { sent, observer, page, view };
  };

  it('tells an absence with its length, and not a blink', async () => {
    const { sent, view, observer } = observe();
    view.dispatchEvent(new Event('blur'));
    await vi.advanceTimersByTimeAsync(100);
    view.dispatchEvent(new Event('focus'));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(sent).toEqual([]);
    view.dispatchEvent(new Event('blur'));
    await vi.advanceTimersByTimeAsync(9_000);
    view.dispatchEvent(new Event('focus'));
    await vi.advanceTimersByTimeAsync(3_000);
    expect(sent.flat()).toMatchObject([{ kind: 'focus_lost' }, { kind: 'focus_returned', duration_ms: 9_000 }]);
    observer.stop();
  });

  it('tells a pause after a minute without any input', async () => {
    const { sent, view, observer } = observe();
    await vi.advanceTimersByTimeAsync(IDLE_AFTER_MS - 1_000);
    view.dispatchEvent(new Event('keydown'));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(IDLE_AFTER_MS);
    view.dispatchEvent(new Event('keydown'));
    await vi.advanceTimersByTimeAsync(3_000);
    expect(sent.flat().map(({ kind }) => kind)).toEqual(['idle', 'active']);
    observer.stop();
  });

  it('sends in batches, in order, and again after a failure', async () => {
    let down = true;
    const sent: Signal[][] = [];
    const observer = new Observer(async (signals) => {
      if (down) throw new Error('offline');
      sent.push(signals);
    });
    for (let line = 1; line <= 25; line++) observer.paste({ size: 1, language: 'python', line, column: 1 });
    await vi.advanceTimersByTimeAsync(5_000);
    down = false;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(sent.map((batch) => batch.length)).toEqual([20, 5]);
    expect(sent.flat().map(({ line }) => line)).toEqual(Array.from({ length: 25 }, (_, index) => index + 1));
    observer.stop();
  });

  it('leaves nothing behind', () => {
    const { observer } = observe();
    observer.left();
    observer.paste({ size: 1, language: 'python', line: 1, column: 1 });
    observer.stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('the arrangement of the room', () => {
  it('is remembered, and a broken memory does no harm', () => {
    const values = new Map([['ocp.room.layout', '{"side": "wide", "upper": 99, "vim": true}']]);
    const storage = {
      getItem: (key: string) => values.get(key) ?? null,
      setItem: (key: string, value: string) => void values.set(key, value),
    } as Storage;
    const layout = new Layout(storage);
    expect(layout).toMatchObject({ side: 0.4, upper: 0.75, vim: true });
    layout.resize('side', 0.3);
    layout.toggle('sideOpen');
    expect(new Layout(storage)).toMatchObject({ side: 0.3, sideOpen: false, vim: true });
  });
});

describe('what is read aloud', () => {
  it('sums up edits of others instead of reading each', async () => {
    const announcer = new Announcer();
    for (const line of [4, 3, 5]) announcer.edited({ name: 'Ada', fromLine: line, toLine: line });
    expect(announcer.sentence).toBe('');
    await vi.advanceTimersByTimeAsync(3_000);
    expect(announcer.sentence).toBe('Ada edited lines 3 to 5.');
    announcer.edited({ name: null, fromLine: 9, toLine: 9 });
    await vi.advanceTimersByTimeAsync(3_000);
    expect(announcer.sentence).toBe('Ada edited lines 3 to 5.');
    await vi.advanceTimersByTimeAsync(4_000);
    expect(announcer.sentence).toBe('Someone edited line 9.');
  });

  it('says the same sentence again when it happens again', () => {
    const announcer = new Announcer();
    announcer.say('Ada joined.');
    const first = announcer.sentence;
    announcer.say('Ada joined.');
    expect(announcer.sentence).not.toBe(first);
  });
});

describe('time', () => {
  it('is shown as a clock and as what is left', () => {
    expect(clockTime(1_043_000)).toBe('17:23');
    expect(clockTime(3_600_000)).toBe('1:00:00');
    expect(remaining(61_000)).toBe('2 min left');
    expect(remaining(-125_000)).toBe('2 min over');
  });
});
