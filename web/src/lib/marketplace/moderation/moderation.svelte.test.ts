import { describe, expect, it } from 'vitest';
import { FakeServer, json } from '../../../../test/fake-server.ts';
import type { Decision, ModerationCase, Subject } from '#lib/api/moderation.ts';
import { ApiProblem } from '#lib/api/problem.ts';
import { CaseVisit } from './case.svelte.ts';
import { queryOf, wishOf } from './queue.svelte.ts';
import { reports } from './reports.svelte.ts';
import { choicesFor, conflictWords } from './words.ts';

const CASE = {
  id: 'cas_1',
  state: 'open',
  subject: { kind: 'project', id: 'prj_1', name: 'ada.engine', path: '/projects/ada.engine', owner: null },
  present: { hold: null, title: 'Engine', text: '' },
} as unknown as ModerationCase;
const DECIDE = 'POST /api/v1/moderation/cases/cas_1/decide';
const refusal = (type: string) => json({ title: 'No.', type: `https://opencode.invalid/problems/${type}` }, 409);
const choices = (change: Partial<ModerationCase>): Decision[] => choicesFor({ ...CASE, ...change }).map(({ value }) => value);
const held = (hold: 'quarantined' | 'removed') => ({ hold, title: 'Engine', text: '' });

describe('what a moderator may decide', () => {
  it.each([
    ['what waits and is to be seen', {}, ['dismiss', 'quarantine', 'remove']],
    ['an appeal against a quarantine', { present: held('quarantined') }, ['dismiss', 'restore', 'remove']],
    ['an appeal against a removal', { present: held('removed') }, ['dismiss', 'restore', 'quarantine']],
    ['what is in quarantine', { state: 'decided', present: held('quarantined') }, ['restore', 'remove']],
    ['what was removed', { state: 'decided', present: held('removed') }, ['restore']],
    ['what was dismissed', { state: 'decided' }, []],
    ['what is deleted', { present: null }, ['dismiss']],
  ] as [string, Partial<ModerationCase>, Decision[]][])('of %s', (_, change, expected) => {
    expect(choices(change)).toEqual(expected);
  });

  it('is what the case is by now when somebody else was faster', async () => {
    const server = new FakeServer().on('GET /api/v1/moderation/cases/cas_1', json(CASE));
    const visit = new CaseVisit();
    await visit.load('cas_1');
    server.on('GET /api/v1/moderation/cases/cas_1', json({ ...CASE, state: 'decided' })).on(DECIDE, refusal('case-decided'));
    expect(await visit.decide('remove', 'Because.')).toBe(false);
    expect(visit.found?.state).toBe('decided');
    expect(visit.conflict).toContain('Somebody decided');
  });

  it('is left to others by whoever has a part in it, and other refusals are thrown', async () => {
    expect(conflictWords(new ApiProblem({ status: 409, title: 'x', type: 'p/another-moderator-decides' }))).toContain('Another moderator');
    expect(conflictWords(new ApiProblem({ status: 400, title: 'x' }))).toBeNull();
    new FakeServer().on('GET /api/v1/moderation/cases/cas_1', json(CASE)).on(DECIDE, json({ title: 'Forbidden' }, 403));
    const visit = new CaseVisit();
    await visit.load('cas_1');
    await expect(visit.decide('remove', 'Because.')).rejects.toMatchObject({ status: 403 });
  });
});

describe('the queue', () => {
  it('has its filters in the address, and nothing for what is usual', () => {
    expect(wishOf(new URLSearchParams())).toEqual({ state: 'open', kind: 'all' });
    expect(wishOf(new URLSearchParams('state=decided&kind=appeal'))).toEqual({ state: 'decided', kind: 'appeal' });
    expect(wishOf(new URLSearchParams('state=nonsense'))).toEqual({ state: 'open', kind: 'all' });
    expect(queryOf({ state: 'open', kind: 'all' })).toBe('');
    expect(queryOf({ state: 'all', kind: 'report' })).toBe('?state=all&kind=report');
  });
});

describe('reports', () => {
  it('are known afterwards, also one that waited already', async () => {
    const engine: Subject = { kind: 'project', slug: 'ada.engine', name: 'Engine' };
    const review: Subject = { kind: 'review', id: 'rev_1', name: 'the review' };
    new FakeServer()
      .on('POST /api/v1/projects/ada.engine/reports', json({ id: 'rpt_1' }, 201))
      .on('POST /api/v1/reviews/rev_1/reports', refusal('reported-already'));
    expect(reports.has(engine)).toBe(false);
    await reports.file(engine, 'spam', ' It advertises. ');
    expect(reports.has(engine)).toBe(true);
    await expect(reports.file(review, 'spam', '')).rejects.toMatchObject({ status: 409 });
    expect(reports.has(review)).toBe(true);
  });
});
