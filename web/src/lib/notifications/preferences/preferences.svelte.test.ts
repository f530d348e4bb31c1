import { describe, expect, it } from 'vitest';
import { FakeServer, json, problem } from '../../../../test/fake-server.ts';
import { Preferences } from './preferences.svelte.ts';

const ROUTE = '/api/v1/me/notices/preferences';
const defaults = {
  'person.followed': { inbox: true, mail: 'none' },
  'review.written': { inbox: true, mail: 'at_once' },
};

async function loaded(): Promise<[Preferences, FakeServer]> {
  const server = new FakeServer()
    .on(`GET ${ROUTE}`, json({ kinds: defaults, defaults, mails: false }))
    .on(`PUT ${ROUTE}`, json({}));
  const preferences = new Preferences();
  await preferences.load();
  return [preferences, server];
}

describe('preferences', () => {
  it('sends what differs from the defaults, and of quick changes the last', async () => {
    const [preferences, server] = await loaded();
    expect([preferences.mails, preferences.areDefaults]).toEqual([false, true]);
    const first = preferences.choose('person.followed', { mail: 'daily' });
    void preferences.choose('person.followed', { inbox: false });
    void preferences.choose('person.followed', { mail: 'at_once' });
    await first;
    const sent = server.calls.filter(({ method }) => method === 'PUT').map(({ body }) => body);
    expect(sent).toEqual([
      { kinds: { 'person.followed': { inbox: true, mail: 'daily' } } },
      { kinds: { 'person.followed': { inbox: false, mail: 'at_once' } } },
    ]);
    await preferences.restoreDefaults();
    expect(server.calls.at(-1)!.body).toEqual({ kinds: {} });
  });

  it('keeps a choice that could not be saved, and says so', async () => {
    const [preferences, server] = await loaded();
    server.on(`PUT ${ROUTE}`, problem(503), json({}));
    await preferences.choose('review.written', { mail: 'none' });
    expect(preferences.choices['review.written']!.mail).toBe('none');
    expect(preferences.problem?.status).toBe(503);
    await preferences.save();
    expect([preferences.problem, preferences.saved]).toEqual([null, 1]);
  });
});
