import type { InterviewState, RunStatus } from '#lib/api/index.ts';
import { usd } from '#lib/ai/words.ts';
import type { AssistantMode, AssistantTerms } from '#lib/api/types.ts';

export const STATE_WORDS: Record<InterviewState, string> = {
  scheduled: 'Not started',
  live: 'Live',
  ended: 'Ended',
};

export const STATE_TONES = { scheduled: 'neutral', live: 'good', ended: 'neutral' } as const;

/** A verdict in two or three words, for lists; the run itself carries the whole sentence. */
export const VERDICT_WORDS: Record<RunStatus, string> = {
  ok: 'Finished',
  error: 'Ended with an error',
  compile_error: 'Did not compile',
  signal: 'Crashed',
  wall_time: 'Ran too long',
  cpu_time: 'Used too much processor time',
  memory: 'Used too much memory',
  output: 'Printed too much',
  processes: 'Started too many processes',
  disk: 'Disk full',
  stopped: 'Stopped',
  sandbox_fault: 'The sandbox failed',
};

const LANGUAGE_NAMES: Record<string, string> = {
  bash: 'Bash',
  c: 'C',
  cpp: 'C++',
  csharp: 'C#',
  css: 'CSS',
  fsharp: 'F#',
  go: 'Go',
  html: 'HTML',
  java: 'Java',
  javascript: 'JavaScript',
  php: 'PHP',
  sql: 'SQL',
  typescript: 'TypeScript',
};

/** The name of a language where the server's list is not at hand. */
export function languageName(id: string): string {
  return LANGUAGE_NAMES[id] ?? id.charAt(0).toUpperCase() + id.slice(1);
}

export const ASSISTANT_MODES: readonly { value: AssistantMode; label: string }[] = [
  { value: 'forbidden', label: 'Nobody asks' },
  { value: 'interviewers', label: 'Only you ask' },
  { value: 'everyone', label: 'Everyone asks' },
];

const BUDGETS_USD = [0.1, 0.5, 1, 5, 20];

/** What all answers of an interview may cost together, as values of a select; the present one is always among them. */
export function budgetChoices(present: number | null): { value: string; label: string }[] {
  const amounts = new Set(present === null ? BUDGETS_USD : [...BUDGETS_USD, present]);
  const choices = [...amounts].sort((a, b) => a - b).map((amount) => ({ value: String(amount), label: `Up to ${usd(amount)}` }));
  return [{ value: '', label: 'No budget' }, ...choices];
}

/** Who could ask the assistant of an interview, and which model answered. */
export function assistantWords({ mode, model }: AssistantTerms): string {
  return `${mode === 'everyone' ? 'everyone could ask' : 'only the interviewer could ask'} ${model}`;
}
