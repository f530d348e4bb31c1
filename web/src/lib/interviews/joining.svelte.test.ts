import { beforeEach, describe, expect, it, vi } from 'vitest';
import { seatIn } from '#lib/api/index.ts';
import { FakeServer, json, problem } from '../../../test/fake-server.ts';
import { memoryStorage } from '../../../test/memory-storage.ts';
import { Joining } from './joining.svelte.ts';

beforeEach(() => {
  vi.stubGlobal('sessionStorage', memoryStorage());
  vi.stubGlobal('localStorage', memoryStorage());
});

describe('joining', () => {
  it('takes the seat, keeps the key in this tab, and remembers the name for the next time', async () => {
    const server = new FakeServer().on(
      'POST /api/v1/join',
      json({ interview_id: 'int_1', participant: { id: 'par_1' }, token: 'secret' }, 201),
    );
    const joining = new Joining('481205');
    joining.name = ' Ada ';
    expect(await joining.join()).toBe('int_1');
    expect(server.calls[0]!.body).toEqual({ code: '481205', name: 'Ada' });
    expect(seatIn('int_1')).toEqual({ token: 'secret', participant_id: 'par_1', name: 'Ada' });
    expect(new Joining().name).toBe('Ada');
  });

  it('asks for what is missing without troubling the server', async () => {
    const server = new FakeServer();
    const joining = new Joining('4812');
    await joining.submission.run(() => joining.join());
    expect(joining.submission.error('code')).toContain('six digits');
    expect(joining.submission.error('name')).toContain('name');
    expect(joining.submission.general).toBeNull();
    expect(server.calls).toEqual([]);
  });

  it('shows why the server refused', async () => {
    new FakeServer().on('POST /api/v1/join', problem(404, { title: 'No interview has this code.' }));
    const joining = new Joining('000000');
    joining.name = 'Ada';
    await joining.submission.run(() => joining.join());
    expect(joining.submission.general?.title).toBe('No interview has this code.');
    expect(seatIn('int_1')).toBeNull();
  });
});
