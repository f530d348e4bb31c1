import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Run } from '#lib/api/types.ts';
import { Runs } from './runs.svelte.ts';
import { textOf } from './screen.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const AT = '2026-01-02T03:04:05Z';
const run = (id: string, fields: Partial<Run> = {}): Run => ({
  id,
  interview_id: 'int_1',
  language: 'python',
  state: 'running',
  stdout: '',
  stderr: '',
  truncated: false,
  exit_code: null,
  signal: null,
  status: null,
  message: null,
  stage: 'run',
  stdin: null,
  args: [],
  cpu_time_ms: null,
  wall_time_ms: null,
  memory_bytes: null,
  requested_by: { id: 'ada', name: 'Ada' },
  created_at: AT,
  started_at: AT,
  finished_at: null,
  ...fields,
});
const shown = (runs: Runs) => runs.shown!.lines.map(textOf);

describe('runs', () => {
  it('are started once, and the event of the same run adds nothing', async () => {
    const startRun = vi.fn(async () => run('run_1', { state: 'queued' }));
    const runs = new Runs({ startRun } as never);
    runs.stdin = '3\n';
    runs.args = '--fast "two words"';
    await Promise.all([runs.start('python'), runs.start('python')]);
    runs.reduce({ type: 'run.started', at: AT, run: run('run_1') });
    expect(startRun).toHaveBeenCalledExactlyOnceWith({ language: 'python', stdin: '3\n', args: ['--fast', 'two words'] });
    expect(runs.all).toHaveLength(1);
    expect(runs.active?.run.state).toBe('running');
  });

  it('show what is printed while it is printed', async () => {
    const runs = new Runs({} as never);
    runs.reduce({ type: 'run.started', at: AT, run: run('run_1') });
    runs.reduce({ type: 'run.output', at: AT, run_id: 'run_1', stream: 'stdout', text: 'on' });
    runs.reduce({ type: 'run.output', at: AT, run_id: 'run_1', stream: 'stdout', text: 'e\n' });
    const before = runs.shown!.revision;
    await vi.advanceTimersByTimeAsync(100);
    expect(runs.shown!.revision).toBe(before + 1);
    expect(shown(runs)).toEqual(['one']);
    runs.reduce({ type: 'run.finished', at: AT, run: run('run_1', { state: 'finished', status: 'ok', exit_code: 0 }) });
    expect(runs.active).toBeNull();
    expect(shown(runs)).toEqual(['one']);
  });

  it('that began before this page was opened are fetched whole at their end', async () => {
    const whole = run('run_1', { state: 'finished', status: 'ok', stdout: 'a\nb\n' });
    const runs = new Runs({ run: async () => whole } as never);
    runs.load([run('run_1', { stdout: 'a\n' })]);
    runs.reduce({ type: 'run.output', at: AT, run_id: 'run_1', stream: 'stdout', text: 'a\n' });
    runs.reduce({ type: 'run.finished', at: AT, run: { ...whole, stdout: '' } });
    await vi.advanceTimersByTimeAsync(100);
    expect(shown(runs)).toEqual(['a', 'b']);
  });

  it('of the past stay one click away, and a new run comes to the front', async () => {
    const runs = new Runs({ startRun: async () => run('run_3') } as never);
    runs.load([
      run('run_2', { state: 'finished', stdout: 'two\n' }),
      run('run_1', { state: 'finished', stdout: 'one\n' }),
    ]);
    runs.picked = 'run_1';
    expect(shown(runs)).toEqual(['one']);
    await runs.start('python');
    expect(runs.shown?.run.id).toBe('run_3');
  });
});
