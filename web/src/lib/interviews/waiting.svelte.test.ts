import { beforeEach, describe, expect, it, vi } from 'vitest';
import { keepSeat, seatIn, type ParticipantStatus } from '#lib/api/index.ts';
import { eventStream, FakeServer, json, problem } from '../../../test/fake-server.ts';
import { memoryStorage } from '../../../test/memory-storage.ts';
import { WaitingRoom } from './waiting.svelte.ts';

const ME = 'GET /api/v1/interviews/int_1/me';
const EVENTS = 'GET /api/v1/interviews/int_1/events';
const place = (status: ParticipantStatus, state = 'live') => ({
  participant: { id: 'par_1', name: 'Ada', role: 'candidate', status },
  interview: { id: 'int_1', title: 'First round', state, interviewer_name: 'Grace' },
});
const news = (type: string, id: string, status: string) =>
  `id: 1\nevent: ${type}\ndata: ${JSON.stringify({ type, at: '', participant: { id, status } })}\n\n`;

beforeEach(() => {
  vi.stubGlobal('sessionStorage', memoryStorage());
  keepSeat('int_1', { token: 'secret', participant_id: 'par_1', name: 'Ada' });
});

describe('the waiting room', () => {
  it('waits, and opens when the interviewer lets the candidate in', async () => {
    const line = eventStream();
    const server = new FakeServer().on(ME, json(place('waiting'))).on(EVENTS, line.answer);
    const room = new WaitingRoom('int_1');
    expect(room.step).toBe('loading');
    await room.open();
    expect(room.step).toBe('waiting');
    line.send(news('participant.admitted', 'par_other', 'admitted'));
    line.send(news('participant.admitted', 'par_1', 'admitted'));
    await vi.waitFor(() => expect(room.step).toBe('admitted'));
    expect(server.calls.every((call) => call.headers.authorization === 'Bearer secret')).toBe(true);
  });

  it('does not miss an admission between its first look and the stream', async () => {
    new FakeServer().on(ME, json(place('waiting')), json(place('admitted'))).on(EVENTS, eventStream().answer);
    const room = new WaitingRoom('int_1');
    await room.open();
    await vi.waitFor(() => expect(room.step).toBe('admitted'));
  });

  it('says so when news cannot come, and keeps the place', async () => {
    new FakeServer().on(ME, json(place('waiting'))).on(EVENTS, new TypeError('down'));
    const room = new WaitingRoom('int_1');
    await room.open();
    await vi.waitFor(() => expect(room.isCutOff).toBe(true));
    expect(room.step).toBe('waiting');
    room.close();
  });

  it.each([
    [place('declined'), 'declined'],
    [place('removed'), 'removed'],
    [place('waiting', 'ended'), 'ended'],
  ])('does not wait where waiting is over', async (answer, step) => {
    const server = new FakeServer().on(ME, json(answer));
    const room = new WaitingRoom('int_1');
    await room.open();
    expect(room.step).toBe(step);
    expect(server.calls).toHaveLength(1);
  });

  it('sends a stranger to the join page, and a broken server to a second try', async () => {
    new FakeServer().on(ME, problem(401));
    const stranger = new WaitingRoom('int_1');
    await stranger.open();
    expect(stranger.step).toBe('stranger');

    new FakeServer().on(ME, problem(503), json(place('declined')));
    const room = new WaitingRoom('int_1');
    await room.open();
    expect(room.step).toBe('failed');
    await room.open();
    expect(room.step).toBe('declined');
  });

  it('gives the seat up when the candidate leaves', async () => {
    new FakeServer()
      .on(ME, json(place('waiting')))
      .on(EVENTS, eventStream().answer)
      .on('POST /api/v1/interviews/int_1/leave', json(place('left').participant));
    const room = new WaitingRoom('int_1');
    await room.open();
    await room.leave();
    expect(room.step).toBe('left');
    expect(seatIn('int_1')).toBeNull();
  });
});
