import { describe, expect, it } from 'vitest';
import type { User } from '#lib/api/types.ts';
import { Session } from '#lib/identity/session.svelte.ts';
import { FakeServer, json } from '../../../test/fake-server.ts';
import { AiPresence } from './presence.svelte.ts';

const MODELS = 'GET /api/v1/ai/models';
const none = json({ items: [], next_cursor: null });
const some = json({ items: [{ name: 'lab/small' }], next_cursor: null });

function signedIn(...permissions: string[]): Session {
  const session = new Session();
  session.adopt({ id: permissions.join(), permissions, roles: [] } as unknown as User);
  return session;
}

async function shows(session: Session, presence = new AiPresence()): Promise<boolean> {
  await presence.look(session);
  return presence.shows(session);
}

describe('the way to AI', () => {
  it('is there for whom a model is there, and asked for once', async () => {
    const server = new FakeServer().on(MODELS, some);
    const presence = new AiPresence();
    const ada = signedIn('ai:use');
    expect([await shows(ada, presence), await shows(ada, presence)]).toEqual([true, true]);
    expect(server.calls).toHaveLength(1);
    new FakeServer().on(MODELS, none);
    expect(await shows(signedIn('ai:use'))).toBe(false);
  });

  it('is there for administrators always, and for others never', async () => {
    const server = new FakeServer();
    expect(await shows(signedIn('ai:use', 'ai:manage'))).toBe(true);
    expect(await shows(signedIn('projects:write'))).toBe(false);
    expect(await shows(new Session())).toBe(false);
    expect(server.calls).toEqual([]);
  });

  it('is not there while the server does not tell', async () => {
    new FakeServer().on(MODELS, new TypeError('no network'));
    expect(await shows(signedIn('ai:use'))).toBe(false);
  });
});
