import type { SeenSignal } from '#lib/api/types.ts';

export interface Summary {
  pastes: number;
  pastedCharacters: number;
  absences: number;
  awayMs: number;
  idleMs: number;
}

const MOST_KEPT = 500;

/** What the candidate's page observed, for the interviewer alone. Newest first. */
export class Monitor {
  signals = $state.raw<readonly SeenSignal[]>([]);
  unread = $state(0);
  #open = false;

  readonly summary: Summary = $derived(summarise(this.signals));
  /** Who has left the page and not come back. */
  readonly away: ReadonlySet<string> = $derived(latest(this.signals, 'focus_lost', 'focus_returned'));
  readonly idle: ReadonlySet<string> = $derived(latest(this.signals, 'idle', 'active'));
  /** A paste, an absence that ended, a pause: one line each. Beginnings are told by the badges beside the name. */
  readonly notable = $derived(
    this.signals.filter(({ kind }) => kind === 'paste' || kind === 'focus_returned' || kind === 'active'),
  );

  look(open: boolean): void {
    this.#open = open;
    if (open) this.unread = 0;
  }

  load(signals: readonly SeenSignal[]): void {
    const newer = this.signals.filter((signal) => !signals.some((other) => same(signal, other)));
    this.signals = [...newer, ...signals];
  }

  take(signal: SeenSignal): void {
    if (this.signals.some((other) => same(signal, other))) return;
    this.signals = [signal, ...this.signals].slice(0, MOST_KEPT);
    if (!this.#open && signal.kind === 'paste') this.unread += 1;
  }
}

/** Signals have no id; a stream that resumes may tell of one that the list had. */
function same(a: SeenSignal, b: SeenSignal): boolean {
  return a.at === b.at && a.kind === b.kind && a.participant_id === b.participant_id && a.size === b.size;
}

function summarise(signals: readonly SeenSignal[]): Summary {
  const summary: Summary = { pastes: 0, pastedCharacters: 0, absences: 0, awayMs: 0, idleMs: 0 };
  for (const signal of signals) {
    if (signal.kind === 'paste') {
      summary.pastes += 1;
      summary.pastedCharacters += signal.size ?? 0;
    } else if (signal.kind === 'focus_lost') summary.absences += 1;
    else if (signal.kind === 'focus_returned') summary.awayMs += signal.duration_ms ?? 0;
    else if (signal.kind === 'active') summary.idleMs += signal.duration_ms ?? 0;
  }
  return summary;
}

function latest(signals: readonly SeenSignal[], on: SeenSignal['kind'], off: SeenSignal['kind']): ReadonlySet<string> {
  const seen = new Set<string>();
  const inState = new Set<string>();
  for (const { kind, participant_id: id } of signals) {
    if ((kind !== on && kind !== off) || seen.has(id)) continue;
    seen.add(id);
    if (kind === on) inState.add(id);
  }
  return inState;
}

/** One line of the monitor in words. */
export function describeSignal(signal: SeenSignal): string {
  const duration = formatSpan(signal.duration_ms ?? 0);
  switch (signal.kind) {
    case 'paste':
      return `Pasted ${count(signal.size ?? 0, 'character')}${signal.line ? ` at line ${signal.line}` : ''}`;
    case 'focus_lost':
      return 'Left this tab';
    case 'focus_returned':
      return `Was away for ${duration}`;
    case 'idle':
      return 'Has not typed or clicked for a minute';
    case 'active':
      return `Was idle for ${duration}`;
  }
}

export function formatSpan(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
}

export const count = (n: number, noun: string) => `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`;
