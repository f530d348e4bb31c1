import type { ApiProblem } from '#lib/api/problem.ts';
import type {
  CaseKind,
  CaseStep,
  Decision,
  ModerationCase,
  ReportReason,
  Subject,
} from '#lib/api/moderation.ts';

export const REASONS: readonly { value: ReportReason; label: string; hint: string }[] = [
  { value: 'malware', label: 'Malware', hint: 'It harms or spies on whoever runs it.' },
  { value: 'spam', label: 'Spam', hint: 'It only advertises, or is there for its links.' },
  { value: 'impersonation', label: 'Impersonation', hint: 'It passes for somebody else, or for their work.' },
  { value: 'licence', label: 'Licence', hint: 'It breaks the licence or the rights of somebody.' },
  { value: 'abuse', label: 'Abuse', hint: 'It insults, threatens or exposes people.' },
  { value: 'other', label: 'Something else', hint: 'Say below what it is.' },
];

export const reasonLabel = (reason: ReportReason): string =>
  REASONS.find(({ value }) => value === reason)?.label ?? reason;

export const KIND_WORDS: Record<CaseKind, string> = { report: 'Report', similar: 'Similar name', appeal: 'Appeal' };
export const KIND_TONES = { report: 'neutral', similar: 'neutral', appeal: 'accent' } as const;

export const SUBJECT_WORDS: Record<Subject['kind'], string> = { project: 'Project', review: 'Review', profile: 'Profile' };

/** Whom the reported thing belongs to. */
export const ownerWord = (kind: Subject['kind']): string => (kind === 'review' ? 'author' : 'owner');

/** What a moderator could write to those whom a decision concerns. */
export const REASON_EXAMPLES: Record<Subject['kind'], string> = {
  project: 'It has no code, only links to a shop',
  review: 'It insults the author instead of telling of the project',
  profile: 'It passes for somebody else',
};

export const DECIDED_WORDS: Record<Decision, string> = {
  dismiss: 'Dismissed',
  quarantine: 'Quarantined',
  restore: 'Restored',
  remove: 'Removed',
};
export const DECIDED_TONES = { dismiss: 'neutral', quarantine: 'warn', restore: 'good', remove: 'bad' } as const;

const DO: Record<Decision, string> = {
  dismiss: 'Dismiss',
  quarantine: 'Quarantine',
  restore: 'Restore',
  remove: 'Remove',
};

const EFFECTS: Record<Subject['kind'], Record<'quarantine' | 'remove' | 'restore', string>> = {
  project: {
    quarantine: 'Nobody finds it any more. Its owner reads why, may change it, and may appeal.',
    remove: 'Nobody finds it any more. Its owner reads why and may appeal, but no longer change it.',
    restore: 'It is what it was before, with its stars and counts.',
  },
  review: {
    quarantine: 'It is in no list and in no rating. Its author reads why, may change it, and may appeal.',
    remove: 'It is in no list and in no rating. Its author reads why and may appeal, but no longer change it.',
    restore: 'It is listed and counts again.',
  },
  profile: {
    quarantine: 'Others see no more than name and projects. Its owner reads why, may change it, and may appeal.',
    remove: 'Others see no more than name and projects. Its owner reads why and may appeal, but no longer change it.',
    restore: 'Everybody sees all of it again.',
  },
};

export interface Choice {
  value: Decision;
  label: string;
  hint: string;
}

/** What can be decided now, the mildest first. What is decided may only go on: from a quarantine, or back. */
export function choicesFor(found: ModerationCase): Choice[] {
  const isOpen = found.state === 'open';
  const hold = found.present?.hold ?? null;
  const choice = (value: Decision): Choice => ({
    value,
    label: DO[value],
    hint: value === 'dismiss' ? 'Everything stays as it is.' : EFFECTS[found.subject.kind][value],
  });
  const possible: Decision[] = [];
  if (isOpen) possible.push('dismiss');
  if (found.present && hold) possible.push('restore');
  if (found.present && isOpen && hold !== 'quarantined') possible.push('quarantine');
  if (found.present && (isOpen ? hold !== 'removed' : hold === 'quarantined')) possible.push('remove');
  return possible.map(choice);
}

/** What a step of the history says, after the name of who did it. */
export function stepWords(step: CaseStep): string {
  switch (step.kind) {
    case 'opened':
      return 'The case was opened';
    case 'reopened':
      return 'The case was opened again';
    case 'appealed':
      return 'appealed';
    case 'deleted':
      return 'deleted it; the case stays';
    case 'decided':
      return { dismiss: 'dismissed it', quarantine: 'put it in quarantine', restore: 'restored it', remove: 'removed it' }[
        step.decision ?? 'dismiss'
      ];
  }
}

/** What to do when a decision was refused because the case is another one by now; null for other refusals. */
export function conflictWords(problem: ApiProblem): string | null {
  if (problem.status !== 409) return null;
  if (problem.type?.endsWith('/another-moderator-decides'))
    return 'You own it, reported it, or decided what the appeal is against. Another moderator, who has no part in it, decides.';
  if (problem.type?.endsWith('/case-decided'))
    return 'Somebody decided while you were reading. The page shows the decision now.';
  return 'The case has changed while you were reading. The page shows it as it is now.';
}

/** Did this person report the same thing before, so that a moderator has it already? */
export const isReportedAlready = (problem: ApiProblem): boolean =>
  problem.status === 409 && Boolean(problem.type?.endsWith('/reported-already'));
