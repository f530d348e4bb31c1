import type { AuditEntry } from '#lib/api/index.ts';

/** `interviews.participant_admitted` reads as "Participant admitted": no list here can know every kind. */
export function auditWords(kind: string): string {
  const text = (kind.split('.').at(-1) ?? kind).replace(/[_-]+/g, ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function auditDetail(detail: AuditEntry['detail']): string {
  if (detail === null || detail === undefined) return '';
  if (typeof detail === 'string') return detail;
  return Object.entries(detail)
    .map(([name, value]) => `${name.replaceAll('_', ' ')} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}
