import { describe, expect, it } from 'vitest';
import type { Run } from '#lib/api/index.ts';
import { FakeServer, json } from '../../../test/fake-server.ts';
import { Report, summarise } from './report.svelte.ts';

const run = (id: string, status: string, wall_time_ms: number | null, language = 'python') =>
  ({ id, status, wall_time_ms, language }) as Run;

describe('the record of an interview', () => {
  it('sums up the runs', () => {
    const runs = [run('1', 'ok', 40), run('2', 'error', 900, 'cpp'), run('3', 'stopped', null)];
    expect(summarise(runs)).toEqual({ total: 3, good: 1, languages: ['Python', 'C++'], longestMs: 900 });
    expect(summarise([])).toEqual({ total: 0, good: 0, languages: [], longestMs: null });
  });

  it('becomes a file that is found again', async () => {
    const path = '/api/v1/interviews/int_1';
    const interview = { title: 'Backend: Ärzte & Co', started_at: '2026-03-01T10:00:00Z', ended_at: '2026-03-01T10:51:00Z' };
    const record = { code: { '481205': { python: { content: 'print(1)' }, bash: { content: '\n' } } } };
    new FakeServer()
      .on(`GET ${path}`, json(interview))
      .on(`GET ${path}/participants`, json({ items: [], next_cursor: null }))
      .on(`GET ${path}/runs`, json({ items: [run('1', 'ok', 1)], next_cursor: null }))
      .on(`GET ${path}/messages`, json({ items: [], next_cursor: null }))
      .on(`GET ${path}/summary`, json({ summary: null, may_change: true, models: [] }))
      .on(`GET ${path}/export`, json(record));
    const report = new Report('int_1');
    await report.load();
    expect(report.lengthMs).toBe(51 * 60_000);
    expect(report.texts).toEqual([{ language: 'python', content: 'print(1)' }]);
    const { name, content } = await report.file();
    expect(name).toBe('backend-ärzte-co-2026-03-01.json');
    expect(JSON.parse(await content.text())).toEqual(record);
  });
});
