import { describe, expect, it } from 'vitest';
import { FakeServer, json } from '../../../test/fake-server.ts';
import { Drafting } from './drafting.svelte.ts';

const language = (id: string, available: boolean) => ({ id, name: id, version: available ? '1' : null, available, reason: null });

describe('a new interview', () => {
  it('is sent again under the same key after a lost answer, and under a new one when it has changed', async () => {
    const server = new FakeServer().on('POST /api/v1/interviews', new TypeError('down'), json({ id: 'int_1' }, 201));
    const draft = new Drafting();
    await expect(draft.create()).rejects.toMatchObject({ isOffline: true });
    await draft.create();
    draft.title = 'Second round';
    await draft.create();
    const [first, again, changed] = server.calls.map(({ headers }) => headers['idempotency-key']);
    expect(again).toBe(first);
    expect(changed).not.toBe(first);
  });

  it('offers what runs here first, and says what can only be written', async () => {
    const items = [language('cobol', false), language('python', true)];
    new FakeServer().on('GET /api/v1/languages', json({ items }));
    const draft = new Drafting();
    await draft.loadLanguages();
    expect(draft.languageOptions.map(({ value, hint }) => [value, hint])).toEqual([
      ['python', '1'],
      ['cobol', 'write only'],
    ]);
    expect(draft.caution).toBeUndefined();
    draft.language = 'cobol';
    expect(draft.caution).toContain('cannot be run');
  });

  it('has an assistant only where there are models and somebody may ask', async () => {
    const server = new FakeServer()
      .on('GET /api/v1/ai/models', json({ items: [{ name: 'mock/small' }], next_cursor: null }))
      .on('POST /api/v1/interviews', json({ id: 'int_1' }, 201), json({ id: 'int_2' }, 201));
    const draft = new Drafting();
    await draft.loadModels();
    expect(draft.models).toEqual(['mock/small']);
    await draft.create();
    draft.assistant = 'everyone';
    await draft.create();
    const [without, having] = server.calls.slice(1).map(({ body }) => body);
    expect(without).not.toHaveProperty('assistant');
    expect(having).toMatchObject({ assistant: { mode: 'everyone', model: '' } });
  });

  it('can be made without the list of languages', async () => {
    new FakeServer().on('GET /api/v1/languages', new TypeError('down'));
    const draft = new Drafting();
    await draft.loadLanguages();
    expect(draft.languages).toEqual([]);
  });
});
