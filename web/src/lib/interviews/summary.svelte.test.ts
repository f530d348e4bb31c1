import { describe, expect, it, vi } from 'vitest';
import { ApiProblem } from '#lib/api/problem.ts';
import type { InterviewApi } from '#lib/api/interviews.ts';
import type { InterviewEvent, Summary } from '#lib/api/types.ts';
import { SummaryDesk } from './summary.svelte.ts';

const AT = '2026-01-02T03:04:05Z';
const summary = (fields: Partial<Summary> = {}) =>
  ({ id: 'sum_1', follows_seq: 7, state: 'draft', drafted: 'Fine.', text: 'Fine.', revision: 0, ...fields }) as Summary;

function deskWith(there: Summary | null, calls: Partial<Record<keyof InterviewApi, unknown>> = {}) {
  const stream = { start: vi.fn(), stop: vi.fn() };
  const api = {
    summary: () => Promise.resolve({ summary: there, may_change: true, models: ['mock/small'] }),
    events: vi.fn(() => stream),
    ...calls,
  };
  return { desk: new SummaryDesk(api as unknown as InterviewApi), api, stream };
}

describe('the summary of an interview', () => {
  it('is read along while it is written, from its beginning, and stands in the editor at its end', async () => {
    const { desk, api, stream } = deskWith(summary({ state: 'writing', text: '', drafted: '' }));
    await desk.load();
    expect(api.events).toHaveBeenCalledWith(expect.objectContaining({ after: 7 }));
    const tell = (event: unknown) => desk.reduce({ at: AT, ...(event as object) } as InterviewEvent);
    tell({ type: 'summary.written', summary_id: 'sum_0', text: 'An older draft' });
    tell({ type: 'summary.written', summary_id: 'sum_1', text: 'Fi' });
    tell({ type: 'summary.written', summary_id: 'sum_1', text: 'ne.' });
    expect(desk.written).toBe('Fine.');
    tell({ type: 'summary.drafted', summary: summary() });
    expect([desk.summary?.state, desk.text]).toEqual(['draft', 'Fine.']);
    expect(stream.stop).toHaveBeenCalled();
  });

  it('is saved before it is accepted, at the revision that one has read', async () => {
    const changeSummary = vi.fn(() => Promise.resolve(summary({ text: 'Good.', revision: 1 })));
    const acceptSummary = vi.fn(() => Promise.resolve(summary({ text: 'Good.', revision: 1, state: 'accepted' })));
    const { desk } = deskWith(summary(), { changeSummary, acceptSummary });
    await desk.load();
    desk.text = 'Good.';
    await desk.accept();
    expect(changeSummary).toHaveBeenCalledWith({ id: 'sum_1', text: 'Good.', revision: 0 });
    expect(acceptSummary).toHaveBeenCalledWith({ id: 'sum_1', revision: 1 });
    expect(desk.summary?.state).toBe('accepted');
  });

  it('keeps what was typed when somebody else changed it, until one asks for theirs', async () => {
    const moved = new ApiProblem({ status: 409, title: 'The summary has changed', type: '/problems/summary-moved' });
    const { desk } = deskWith(summary(), { changeSummary: () => Promise.reject(moved) });
    await desk.load();
    desk.text = 'Mine.';
    await desk.save();
    expect([desk.text, desk.submission.problem?.title]).toEqual(['Mine.', 'The summary has changed']);
    desk.reload();
    await vi.waitFor(() => expect(desk.text).toBe('Fine.'));
  });

  it('is looked at again when one comes back, unless something was typed', async () => {
    const theirs = summary({ text: 'Theirs.', revision: 3 });
    const answers = [summary(), theirs, summary({ text: 'Newer.', revision: 4 })];
    const { desk } = deskWith(null, {
      summary: () => Promise.resolve({ summary: answers.shift()!, may_change: true, models: [] }),
    });
    await desk.load();
    await desk.look();
    expect(desk.text).toBe('Theirs.');
    desk.text = 'Mine.';
    await desk.look();
    expect([desk.text, desk.summary?.revision]).toEqual(['Mine.', 3]);
  });

  it('names the draft that a new one takes the place of', async () => {
    const draftSummary = vi.fn(() => Promise.resolve(summary({ id: 'sum_2', state: 'writing', text: '' })));
    const { desk } = deskWith(summary({ state: 'failed' }), { draftSummary });
    await desk.load();
    await desk.draft();
    expect(draftSummary).toHaveBeenCalledWith({ replaces: 'sum_1' });
    expect(desk.summary?.id).toBe('sum_2');
  });

  it('is not there where no model can be asked and none ever wrote', async () => {
    const { desk } = deskWith(null, {
      summary: () => Promise.resolve({ summary: null, may_change: true, models: [] }),
    });
    await desk.load();
    expect(desk.isHere).toBe(false);
  });
});
