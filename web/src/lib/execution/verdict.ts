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
    case 'stopped':
      return { word: 'stopped', tone: 'warn' };
    default:
      return { word: 'could not run', tone: 'bad' };
  }
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
