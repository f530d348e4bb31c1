import { describe, expect, it } from 'vitest';
import type { AiProvider, Preset } from '#lib/api/ai.ts';
import { ApiProblem } from '#lib/api/problem.ts';
import { FakeServer, json, problem } from '../../../../test/fake-server.ts';
import { placed } from '../placing.ts';
import { bodyOf, NEW_PROVIDER, NO_SECRETS, PLACES } from './draft.ts';
import { ProviderEditing } from './editing.svelte.ts';
import { NO_FACTS } from './facts.ts';

const PUT = 'PUT /api/v1/ai/providers/lab';
const PRESETS: Preset[] = [
  { name: 'openai', type: 'cloud', dialect: 'openai', base_url: 'https://service.test/v1', needs_key: true },
  { name: 'ollama', type: 'local', dialect: 'ollama', base_url: 'http://127.0.0.1:11434', needs_key: false },
];
const settings = {
  type: 'custom' as const,
  preset: null,
  dialect: null,
  base_url: 'http://127.0.0.1:8080/v1',
  models: ['small'],
  discover: false,
  enabled: true,
  weight: 1,
  concurrency: null,
};
const lab: AiProvider = {
  name: 'lab',
  type: 'custom',
  dialect: 'openai',
  base_url: settings.base_url,
  enabled: true,
  discover: false,
  layer: 'database',
  place: 'database',
  has_key: true,
  key_source: 'the database',
  header_names: ['x-team'],
  models: 1,
  state: 'healthy',
  reason: '',
  action: '',
  since: null,
  checked_at: null,
  latency_ms: 3,
  revision: 4,
  settings,
  problem: '',
};
const edit = (before: AiProvider | null) => new ProviderEditing(before, () => PRESETS);

async function refusalOf(action: () => Promise<unknown>): Promise<ApiProblem> {
  const error: unknown = await action().then(() => null, (thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ApiProblem);
  return error as ApiProblem;
}

describe('a provider in the form', () => {
  it('is sent with the revision that it began from, and keeps what is secret', async () => {
    const server = new FakeServer().on(PUT, json({ ...lab, revision: 5 }));
    const editing = edit(lab);
    editing.fields.models = 'small\n\n large ';
    expect((await editing.save())?.revision).toBe(5);
    expect(server.calls[0]!.body).toEqual({
      ...settings,
      models: ['small', 'large'],
      api_key: null,
      headers: null,
      revision: 4,
    });
  });

  it('says of models what was written, and nothing of the others', async () => {
    const small = {
      name: 'small',
      context_window: 8192,
      max_output_tokens: null,
      capabilities: ['chat' as const],
      price: { input: 0.15, output: 0.6, cached_input: null, cache_write: null },
    };
    const server = new FakeServer().on(PUT, json(lab));
    const editing = edit({ ...lab, settings: { ...settings, models: [small, 'large'] } });
    expect(editing.fields.models).toBe('small\nlarge');
    expect(editing.fields.facts.small).toMatchObject({ context_window: '8192', input: '0.15', cached_input: '' });
    editing.fields.models = 'small\nlarge\nconstructor';
    editing.fields.facts = { ...editing.fields.facts, large: { ...NO_FACTS, output: ' 2 ', input: '0' } };
    await editing.save();
    expect(server.calls[0]!.body).toMatchObject({
      models: [
        small,
        {
          name: 'large',
          context_window: null,
          capabilities: null,
          price: { input: 0, output: 2, cached_input: null, cache_write: null },
        },
        'constructor',
      ],
    });
    editing.fields.facts = {};
    await editing.save();
    expect(server.calls[1]!.body).toMatchObject({ models: ['small', 'large', 'constructor'] });
  });

  it.each([
    [{ context_window: '8k' }, 'whole number of tokens'],
    [{ max_output_tokens: '-1' }, 'whole number of tokens'],
    [{ input: 'free' }, 'number of dollars'],
    [{ input: '-1' }, 'number of dollars'],
    [{ output: '1' }, 'the price of input is missing'],
  ])('says what cannot be said of a model: %o', async (facts, words) => {
    const editing = edit(lab);
    editing.fields.facts = { small: { ...NO_FACTS, ...facts } };
    const problem = await refusalOf(() => editing.save());
    expect(problem.field('facts')).toContain(words);
    expect(problem.field('facts')).toContain('of small');
  });

  it('does not take headers along to another address', () => {
    const moved = { ...NEW_PROVIDER, name: 'lab', base_url: 'http://127.0.0.1:9/v1' };
    const body = bodyOf(moved, { ...NO_SECRETS, api_key: 'sk' }, lab, PRESETS);
    expect([body.api_key, body.headers]).toEqual(['sk', {}]);
    expect(bodyOf(moved, { ...NO_SECRETS, dropsKey: true, headers: 'X-A: b:c' }, lab, PRESETS)).toMatchObject({
      api_key: '',
      headers: { 'X-A': 'b:c' },
    });
  });

  it('takes name and type from a service', () => {
    const editing = edit(null);
    editing.choose('ollama');
    expect(editing.fields).toMatchObject({ name: 'ollama', preset: 'ollama', type: 'local' });
    editing.choose('openai');
    expect(editing.fields).toMatchObject({ name: 'openai', type: 'cloud' });
    editing.fields.name = 'mine';
    editing.choose('ollama');
    expect(editing.fields.name).toBe('mine');
  });

  it('has every mistake at its field before anything is sent', async () => {
    const server = new FakeServer();
    const editing = edit(null);
    Object.assign(editing.fields, { name: 'a b', discover: false, weight: 'much', concurrency: '1.5' });
    editing.secrets.headers = 'no colon';
    const fields = (await refusalOf(() => editing.save())).errors.map(({ pointer }) => pointer);
    expect(fields).toEqual(['/name', '/base_url', '/models', '/weight', '/concurrency', '/headers']);
    editing.choose('openai');
    Object.assign(editing.fields, { name: 'openai', discover: true, weight: '1', concurrency: '' });
    editing.secrets.headers = '';
    expect((await refusalOf(() => editing.save())).errors.map(({ pointer }) => pointer)).toEqual(['/api_key']);
    expect(server.calls).toEqual([]);
  });

  it('has the complaints of the server at their fields', () => {
    const errors = [
      { pointer: '/models/1', detail: 'Twice.' },
      { pointer: '/models/2', detail: 'Empty.' },
      { pointer: '', detail: 'An alias names it.' },
    ];
    const told = placed(new ApiProblem({ status: 400, title: 'Not good', detail: 'All of it', errors }), PLACES);
    expect([told.field('models'), told.detail]).toEqual(['Twice. Empty.', 'An alias names it.']);
    expect(told.concernsOnly('models')).toBe(false);
  });

  it('meets what was saved elsewhere without losing what was typed', async () => {
    const theirs = { ...lab, revision: 5, settings: { ...settings, models: ['theirs'], weight: 3 } };
    const server = new FakeServer()
      .on(PUT, problem(412), json({ ...theirs, revision: 6 }))
      .on('GET /api/v1/ai/providers/lab', json(theirs));
    const editing = edit(lab);
    editing.fields.models = 'mine';
    expect(await editing.save()).toBeUndefined();
    expect(editing.meeting).toMatchObject({ taken: ['weight'], conflicts: ['models'] });
    expect(editing.fields).toMatchObject({ models: 'mine', weight: '3' });
    editing.takeTheirs('models');
    await editing.save();
    expect(server.calls.at(-1)!.body).toMatchObject({ models: ['theirs'], weight: 3, revision: 5 });
  });

  it('meets facts of models that were written elsewhere, whatever their order', async () => {
    const facts = (name: string, context_window: number) => ({ name, context_window });
    const stored = (...models: ReturnType<typeof facts>[]) => ({ ...lab, settings: { ...settings, models } });
    const theirs = { ...stored(facts('b', 2), facts('a', 3)), revision: 5 };
    new FakeServer().on(PUT, problem(412)).on('GET /api/v1/ai/providers/lab', json(theirs));
    const editing = edit(stored(facts('a', 1), facts('b', 2)));
    editing.fields.weight = '2';
    await editing.save();
    expect(editing.meeting).toMatchObject({ taken: ['models', 'facts'], conflicts: [] });
    expect(editing.fields.facts.a?.context_window).toBe('3');
  });

  it('that is new does not overwrite one of the same name', async () => {
    new FakeServer().on(PUT, problem(412));
    const editing = edit(null);
    Object.assign(editing.fields, { name: 'lab', base_url: 'http://127.0.0.1:9/v1' });
    expect((await refusalOf(() => editing.save())).field('name')).toMatch('taken');
  });
});
