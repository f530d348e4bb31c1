import type { Run } from '#lib/api/types.ts';

export type Tone = 'neutral' | 'good' | 'warn' | 'bad';

/** What became of a run, in a word or two for a badge. */
export function verdictOf(run: Run): { word: string; tone: Tone } {
  if (run.state === 'queued') return { word: 'Waiting to start', tone: 'neutral' };
  if (run.state === 'running') return { word: 'Running', tone: 'neutral' };
  switch (run.status) {
    case 'ok':
      return { word: `exit ${run.exit_code ?? 0}`, tone: 'good' };
    case 'error':
      return { word: `exit ${run.exit_code ?? 1}`, tone: 'bad' };
    case 'compile_error':
      return { word: 'did not compile', tone: 'bad' };
    case 'signal':
      return { word: run.signal ?? 'crashed', tone: 'bad' };
    case 'wall_time':
    case 'cpu_time':
      return { word: 'out of time', tone: 'warn' };
    case 'memory':
      return { word: 'out of memory', tone: 'warn' };
    case 'output':
      return { word: 'too much output', tone: 'warn' };
    case 'processes':
      return { word: 'too many processes', tone: 'warn' };
    case 'disk':
      return { word: 'disk full', tone: 'warn' };
    case 'stopped':
      return { word: 'stopped', tone: 'warn' };
    default:
      return { word: 'could not run', tone: 'bad' };
  }
}

const PHRASES: Partial<Record<NonNullable<Run['status']>, string>> = {
  ok: 'Finished in',
  error: 'Failed after',
  signal: 'Crashed after',
  wall_time: 'Stopped after',
  cpu_time: 'Used up its time after',
  memory: 'Out of memory after',
  output: 'Printed too much, stopped after',
  processes: 'Too many processes after',
  disk: 'Disk full after',
  stopped: 'Stopped by hand after',
};

/** What became of a run, with how long it took: "Finished in 12 ms". */
export function phraseOf(run: Run, ahead = 0): string {
  if (run.state === 'queued') return ahead > 0 ? `Waiting, ${ahead} ahead` : 'Waiting to start';
  if (run.state === 'running') return run.stage === 'compile' ? 'Compiling' : 'Running';
  const phrase = run.status ? PHRASES[run.status] : undefined;
  const took = formatDuration(run.wall_time_ms);
  if (phrase && took !== null) return `${phrase} ${took}`;
  const { word } = verdictOf(run);
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** The code or signal with which a program ended, when that says more than the phrase. */
export function endingOf(run: Run): string | null {
  if (run.state !== 'finished' || run.status === 'compile_error') return null;
  if (run.status === 'signal') return run.signal;
  return run.exit_code === null ? null : `exit ${run.exit_code}`;
}

/** What a compile stage came to, for the head of what the compiler said. */
export function compileWords(run: Run): string {
  if (run.compile) return run.compile.cached ? 'Compiled before' : `Compiled in ${formatDuration(run.compile.wall_time_ms)}`;
  if (run.state !== 'finished') return 'Compiling';
  const took = formatDuration(run.wall_time_ms);
  if (run.status === 'compile_error') return took ? `Did not compile, ${took}` : 'Did not compile';
  return took ? `Ended after ${took}` : 'Ended';
}

/** A sentence for the end of the output; nothing after a clean exit, which needs no words. */
export function sentenceOf(run: Run): string | null {
  if (run.state !== 'finished' || run.status === 'ok') return null;
  return run.message ?? `The program ended: ${verdictOf(run).word}.`;
}

export function formatDuration(ms: number | null): string | null {
  if (ms === null) return null;
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}

export function formatBytes(bytes: number | null): string | null {
  if (bytes === null) return null;
  if (bytes < 1024) return `${bytes} B`;
  const kib = bytes / 1024;
  return kib < 1024 ? `${Math.round(kib)} KB` : `${(kib / 1024).toFixed(1)} MB`;
}
