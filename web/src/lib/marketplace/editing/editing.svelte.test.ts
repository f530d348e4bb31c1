import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeServer, json, problem } from '../../../../test/fake-server.ts';
import { memoryStorage } from '../../../../test/memory-storage.ts';
import { ProjectEditing } from './editing.svelte.ts';
import type { Project } from '#lib/api/index.ts';

const PATH = '/api/v1/projects/ada.engine';
const project = (change: Partial<Project> = {}) =>
  ({
    slug: 'ada.engine',
    name: 'engine',
    title: 'Engine',
    summary: 'Counts',
    description: '',
    technologies: [],
    tags: [],
    license: null,
    price: null,
    repository_url: null,
    demo_url: null,
    documentation_url: null,
    status: 'published',
    revision: 3,
    ...change,
  }) as Project;

function editing(of: Project | null): ProjectEditing {
  const made = new ProjectEditing();
  made.begin(of);
  return made;
}

beforeEach(() => vi.stubGlobal('localStorage', memoryStorage()));

describe('writing a project', () => {
  it('sends only what was changed, for the revision that was read', async () => {
    const { calls } = new FakeServer().on(`PATCH ${PATH}`, json(project({ title: 'The engine', revision: 4 })));
    const form = editing(project());
    form.set({ title: 'The engine', price: { isPaid: true, amount: '9,5', currency: 'EUR' } });
    expect((await form.save())?.revision).toBe(4);
    expect(calls[0]!.body).toEqual({ title: 'The engine', price: { amount_minor: 950, currency: 'EUR' } });
    expect(calls[0]!.headers['if-match']).toBe('"3"');
  });

  it('makes one project however often it is tried', async () => {
    const { calls } = new FakeServer().on('POST /api/v1/projects', new TypeError('lost'), json(project()));
    const form = editing(null);
    form.set({ title: 'Engine' });
    expect(await form.save('published')).toBeUndefined();
    expect((await form.save('published'))?.slug).toBe('ada.engine');
    expect(calls[0]!.headers['idempotency-key']).toBe(calls[1]!.headers['idempotency-key']);
    expect(calls[0]!.body).toMatchObject({ title: 'Engine', status: 'published', price: null });
  });

  it('shows each complaint at its field', async () => {
    const errors = [
      { pointer: '/title', detail: 'must have 1 to 120 characters' },
      { pointer: '/tags', detail: 'each entry must be one word' },
    ];
    new FakeServer().on('POST /api/v1/projects', problem(400, { errors }));
    const form = editing(null);
    await form.save();
    expect(form.submission.error('title')).toContain('120');
    expect(form.submission.error('tags')).toContain('one word');
    expect(form.submission.general).toBeNull();
  });

  it('refuses an amount that is none before anything is sent', async () => {
    const { calls } = new FakeServer();
    const form = editing(project());
    form.set({ price: { isPaid: true, amount: 'nine', currency: 'EUR' } });
    await form.save();
    expect(form.submission.error('price/amount_minor')).toContain('amount of EUR');
    expect(calls).toEqual([]);
  });
});

describe('reading a project again', () => {
  it('shows what is new, and puts it back when it is undone, without what is being typed', async () => {
    const fresh = project({ description: '# Fresh', license: 'MIT', revision: 4 });
    const server = new FakeServer()
      .on(`POST ${PATH}/sync`, json({ changed: ['description', 'license'], problems: [], project: fresh }))
      .on(`PATCH ${PATH}`, json(project({ description: 'Old', revision: 5 })));
    const form = editing(project({ description: 'Old' }));
    const synced = (await form.refresh(['description', 'license']))!;
    expect(server.calls[0]!.headers['if-match']).toBe('"3"');
    expect(server.calls[0]!.body).toEqual({ take: ['description', 'license'] });
    expect([form.fields.description, form.fields.license, form.isDirty]).toEqual(['# Fresh', 'MIT', false]);
    form.set({ title: 'Being typed' });
    await form.putBack(synced.before, ['description', 'license']);
    expect(server.calls[1]!.body).toEqual({ description: 'Old', license: null });
    expect(server.calls[1]!.headers['if-match']).toBe('"4"');
    expect([form.fields.description, form.fields.title]).toEqual(['Old', 'Being typed']);
  });
});

describe('two who write at once', () => {
  async function met(): Promise<{ form: ProjectEditing; server: FakeServer }> {
    const theirs = project({ title: 'Their engine', summary: 'Computes', revision: 4 });
    const server = new FakeServer()
      .on(`PATCH ${PATH}`, problem(412), json(project({ revision: 5 })))
      .on(`GET ${PATH}`, json(theirs));
    const form = editing(project());
    form.set({ title: 'My engine' });
    expect(await form.save()).toBeUndefined();
    return { form, server };
  }

  it('see both versions, and nothing that was typed is lost', async () => {
    const { form } = await met();
    expect(form.meeting?.conflicts).toEqual(['title']);
    expect(form.meeting?.taken).toEqual(['summary']);
    expect([form.fields.title, form.fields.summary]).toEqual(['My engine', 'Computes']);
    expect(form.submission.problem).toBeNull();
  });

  it('choose, and save for the newer revision', async () => {
    const { form, server } = await met();
    form.choose('title', 'theirs');
    expect(form.isDirty).toBe(false);
    form.choose('title', 'mine');
    await form.save();
    const last = server.calls.at(-1)!;
    expect(last.headers['if-match']).toBe('"4"');
    expect(last.body).toEqual({ title: 'My engine' });
    expect(form.meeting).toBeNull();
  });
});

describe('text that was not saved', () => {
  it('comes back, and is gone once it is saved', async () => {
    new FakeServer().on(`PATCH ${PATH}`, json(project({ summary: 'Half a sent', revision: 4 })));
    const before = editing(project());
    before.set({ summary: 'Half a sent' });
    before.keep();
    const after = editing(project());
    expect(after.wasRestored).toBe(true);
    expect(after.fields.summary).toBe('Half a sent');
    await after.save();
    expect(editing(project()).wasRestored).toBe(false);
  });

  it('meets what was saved elsewhere meanwhile', () => {
    const before = editing(project());
    before.set({ summary: 'Mine' });
    before.keep();
    const after = editing(project({ summary: 'Theirs', revision: 9 }));
    expect(after.fields.summary).toBe('Mine');
    expect(after.meeting?.theirs.summary).toBe('Theirs');
  });

  it('can be thrown away, and is ignored when it makes no sense', () => {
    const before = editing(project());
    before.set({ summary: 'Mine' });
    before.keep();
    const after = editing(project());
    after.discard();
    expect(after.fields.summary).toBe('Counts');
    localStorage.setItem('ocp.project-draft.ada.engine', '{"revision":3,"fields":{"title":7}}');
    expect(editing(project()).fields.summary).toBe('Counts');
  });
});
