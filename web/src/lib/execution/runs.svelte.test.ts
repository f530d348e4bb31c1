import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Run } from '#lib/api/types.ts';
import { Runs } from './runs.svelte.ts';
import { textOf } from './screen.ts';
import { compileWords, phraseOf } from './verdict.ts';

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
  compile: null,
  terminal: null,
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
    runs.reduce({ type: 'run.output', at: AT, run_id: 'run_1', stage: 'run', stream: 'stdout', text: 'on' });
    runs.reduce({ type: 'run.output', at: AT, run_id: 'run_1', stage: 'run', stream: 'stdout', text: 'e\n' });
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
    runs.reduce({ type: 'run.output', at: AT, run_id: 'run_1', stage: 'run', stream: 'stdout', text: 'a\n' });
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

  it('keep what the compiler said apart from what the program printed', async () => {
    const runs = new Runs({} as never);
    const compile = { cpu_time_ms: 40, wall_time_ms: 50, memory_bytes: null, cached: false };
    runs.reduce({ type: 'run.started', at: AT, run: run('run_1', { state: 'queued', stage: null }) });
    runs.reduce({ type: 'run.stage', at: AT, run_id: 'run_1', stage: 'compile', compile: null });
    expect(phraseOf(runs.shown!.run)).toBe('Compiling');
    runs.reduce({ type: 'run.output', at: AT, run_id: 'run_1', stage: 'compile', stream: 'stderr', text: 'warning\n' });
    runs.reduce({ type: 'run.stage', at: AT, run_id: 'run_1', stage: 'run', compile });
    runs.reduce({ type: 'run.output', at: AT, run_id: 'run_1', stage: 'run', stream: 'stdout', text: '42\n' });
    await vi.advanceTimersByTimeAsync(100);
    expect(runs.shown!.compilerLines.map(textOf)).toEqual(['warning']);
    expect(shown(runs)).toEqual(['42']);
    expect(compileWords(runs.shown!.run)).toBe('Compiled in 50 ms');
  });

  it('of the past show their stages too', () => {
    const runs = new Runs({} as never);
    const compile = { cpu_time_ms: 1, wall_time_ms: 2, memory_bytes: null, cached: true, stdout: '', stderr: 'warning\n' };
    runs.load([
      run('run_2', { state: 'finished', status: 'compile_error', stage: 'compile', stderr: 'no\n', wall_time_ms: 7 }),
      run('run_1', { state: 'finished', status: 'ok', compile, stdout: '42\n' }),
    ]);
    expect(runs.shown!.compilerLines.map(textOf)).toEqual(['no']);
    expect(shown(runs)).toEqual([]);
    expect(compileWords(runs.shown!.run)).toBe('Did not compile, 7 ms');
    runs.picked = 'run_1';
    expect(runs.shown!.compilerLines.map(textOf)).toEqual(['warning']);
    expect(shown(runs)).toEqual(['42']);
    expect(compileWords(runs.shown!.run)).toBe('Compiled before');
  });

  it('tell how many come before them, until it is their turn', () => {
    const runs = new Runs({} as never);
    runs.reduce({ type: 'run.started', at: AT, run: run('run_1', { state: 'queued', stage: null }) });
    runs.reduce({ type: 'run.queued', at: AT, run_id: 'run_1', ahead: 3 });
    expect(phraseOf(runs.shown!.run, runs.shown!.ahead)).toBe('Waiting, 3 ahead');
    runs.reduce({ type: 'run.stage', at: AT, run_id: 'run_1', stage: 'run', compile: null });
    expect(phraseOf(runs.shown!.run, runs.shown!.ahead)).toBe('Running');
  });

  it('can be waited for, also when they ended before anybody asked', async () => {
    const whole = run('run_1', { state: 'finished', status: 'ok', stdout: 'a\n' });
    const runs = new Runs({ startRun: async () => run('run_1', { state: 'queued' }), run: async () => whole } as never);
    await runs.request({ language: 'python' });
    const waiting = runs.finished('run_1');
    runs.reduce({ type: 'run.finished', at: AT, run: whole });
    expect((await waiting).stdout).toBe('a\n');
    expect((await runs.finished('run_1')).stdout).toBe('a\n');
    expect(runs.shown!.own).toBe(true);
  });

  it('ask for a terminal when the person wants one', async () => {
    const startRun = vi.fn(async () => run('run_1'));
    await new Runs({ startRun } as never).start('python', true);
    expect(startRun).toHaveBeenCalledWith(expect.objectContaining({ terminal: { columns: 80, rows: 24 } }));
  });
});

describe('a verdict in words', () => {
  const ended = (fields: Partial<Run>) => phraseOf(run('run_1', { state: 'finished', wall_time_ms: 10_000, ...fields }));

  it.each([
    ['ok', 'Finished in 10.0 s'],
    ['error', 'Failed after 10.0 s'],
    ['wall_time', 'Stopped after 10.0 s'],
    ['stopped', 'Stopped by hand after 10.0 s'],
    ['memory', 'Out of memory after 10.0 s'],
    ['compile_error', 'Did not compile'],
    ['sandbox_fault', 'Could not run'],
  ] as const)('%s reads "%s"', (status, words) => {
    expect(ended({ status })).toBe(words);
  });

  it('does not claim a time that nobody measured', () => {
    expect(ended({ status: 'stopped', wall_time_ms: null })).toBe('Stopped');
  });
});
