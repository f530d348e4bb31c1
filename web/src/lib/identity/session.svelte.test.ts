import { describe, expect, it } from 'vitest';
import { identity } from '#lib/api/index.ts';
import { FakeServer, json, problem } from '../../../test/fake-server.ts';
import { Policy } from './policy.svelte.ts';
import { Session } from './session.svelte.ts';
import { SetupLink } from './setup.svelte.ts';

const SESSION = 'GET /api/v1/auth/session';
const ada = { id: 'usr_1', display_name: 'Ada', roles: ['admin'], permissions: ['interviews:create'] };

describe('the session', () => {
  it('asks once, however many parts of the page want to know', async () => {
    const server = new FakeServer().on(SESSION, json({ user: ada }));
    const session = new Session();
    await Promise.all([session.load(), session.load()]);
    await session.load();
    expect(server.calls).toHaveLength(1);
    expect([session.status, session.isAdmin, session.canInterview]).toEqual(['signed-in', true, true]);
  });

  it('tells "nobody" from "I could not ask", and may be asked again', async () => {
    new FakeServer().on(SESSION, json({ user: null }));
    const nobody = new Session();
    await nobody.load();
    expect(nobody.status).toBe('signed-out');

    new FakeServer().on(SESSION, new TypeError('down'), json({ user: ada }));
    const session = new Session();
    await session.load();
    expect([session.status, session.problem?.isOffline]).toEqual(['failed', true]);
    await session.load();
    expect(session.status).toBe('signed-in');
  });
});

describe('the door to new accounts', () => {
  it.each([
    ['open', false, false, 'open'],
    ['open', false, true, 'invited'],
    ['invite', false, false, 'invite-needed'],
    ['invite', false, true, 'invited'],
    ['closed', false, true, 'closed'],
    ['closed', true, false, 'first'],
  ])('%s, first account %s, invite %s: %s', async (registration, first_account, invite, door) => {
    new FakeServer().on('GET /api/v1/auth/policy', json({ registration, first_account }));
    const policy = new Policy();
    expect(policy.door(invite)).toBe('asking');
    await policy.load();
    expect(policy.door(invite)).toBe(door);
  });
});

describe('the one-time link', () => {
  it('signs the first administrator in', async () => {
    const server = new FakeServer().on('POST /api/v1/auth/setup', json(ada));
    const session = new Session();
    const link = new SetupLink(session);
    await link.redeem('#token=abc');
    expect(server.calls[0]!.body).toEqual({ token: 'abc' });
    expect([link.step, session.status]).toEqual(['choose', 'signed-in']);
  });

  it('goes on after a reload, when the link is spent but the cookie is there', async () => {
    new FakeServer().on(SESSION, json({ user: ada }));
    const link = new SetupLink(new Session());
    await link.redeem('');
    expect(link.step).toBe('choose');
  });

  it('says what to do when it is spent or cut short', async () => {
    new FakeServer().on('POST /api/v1/auth/setup', problem(410, { title: 'Used.' })).on(SESSION, json({ user: null }));
    const spent = new SetupLink(new Session());
    await spent.redeem('#token=abc');
    expect([spent.step, spent.problem?.title]).toEqual(['failed', 'Used.']);
    const cut = new SetupLink(new Session());
    await cut.redeem('#');
    expect(cut.problem?.action).toContain('whole line');
  });
});

describe('a sign-in that ends elsewhere', () => {
  it('is noticed at the next call, but not at a wrong password', async () => {
    new FakeServer()
      .on(SESSION, json({ user: ada }))
      .on('GET /api/v1/tokens', problem(401))
      .on('POST /api/v1/auth/login', problem(401));
    const session = new Session();
    await session.load();
    await identity.login({ email: 'a', password: 'b' }).catch(() => {});
    expect(session.status).toBe('signed-in');
    await identity.tokens().catch(() => {});
    expect(session.status).toBe('signed-out');
  });
});
