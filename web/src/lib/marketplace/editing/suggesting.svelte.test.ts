import { describe, expect, it } from 'vitest';
import { FakeServer, json } from '../../../../test/fake-server.ts';
import { Suggesting } from './suggesting.svelte.ts';

const SUGGESTIONS = '/api/v1/projects/suggestions';

describe('what a model suggests for a README', () => {
  it('is offered where the server says so, and not where it cannot be asked', async () => {
    new FakeServer().on(`GET ${SUGGESTIONS}`, json({ available: true }), new TypeError('down'));
    const suggesting = new Suggesting();
    await suggesting.load();
    expect(suggesting.isOffered).toBe(true);
    await suggesting.load();
    expect(suggesting.isOffered).toBe(false);
  });

  it('stays when another try fails, and goes when it is dropped', async () => {
    const refused = json({ title: 'The model had no suggestion', status: 503 }, 503);
    const suggestion = { summary: 'Counts words.', tags: [{ tag: 'text', known: true }], model: 'mock/small' };
    const server = new FakeServer().on(`POST ${SUGGESTIONS}`, json(suggestion), refused);
    const suggesting = new Suggesting();
    await suggesting.ask('# Count');
    expect(server.calls[0]?.body).toEqual({ text: '# Count' });
    await suggesting.ask('# Count');
    expect(suggesting.suggestion).toEqual(suggestion);
    expect(suggesting.submission.problem?.title).toBe('The model had no suggestion');
    suggesting.drop();
    expect([suggesting.suggestion, suggesting.submission.problem]).toEqual([null, null]);
  });
});
