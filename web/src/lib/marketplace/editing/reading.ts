import { sources, type ReadDraft, type SyncedProject } from '#lib/api/index.ts';
import { FIELD_WORDS, type FieldName, type ProjectFields } from './fields.ts';

/** Whose pages can be read. Whoever cannot be told types the project, as where that is not set up. */
export const readableHosts = (): Promise<readonly string[]> =>
  sources.hosts().then(
    (told) => told.hosts,
    () => [],
  );

/** The fields that another place has told; what it did not tell stays as it is in the form. */
export function takenFrom(draft: ReadDraft): Partial<ProjectFields> {
  const told = {
    title: draft.title,
    summary: draft.summary,
    description: draft.description,
    technologies: draft.technologies,
    tags: draft.tags,
    license: draft.license ?? '',
    repository_url: draft.repository_url ?? '',
    documentation_url: draft.documentation_url ?? '',
    demo_url: draft.demo_url ?? '',
  } satisfies Partial<ProjectFields>;
  return Object.fromEntries(Object.entries(told).filter(([, value]) => value.length > 0));
}

/** What is wrong with what was read, as sentences that begin with a field's name. */
export function complaintsOf(draft: Pick<ReadDraft, 'problems'>): { pointer: string; text: string }[] {
  return draft.problems.map(({ pointer, detail }) => {
    const name = pointer.split('/')[1] ?? '';
    return { pointer, text: `${FIELD_WORDS[name as FieldName] ?? name} ${detail}.` };
  });
}

/** Whether an address is at one of the hosts that the server reads from. */
export function isAt(hosts: readonly string[], url: string | null): boolean {
  const host = url && URL.canParse(url) ? new URL(url).host : '';
  return hosts.some((known) => plain(known) === plain(host));
}

const plain = (host: string) => host.toLowerCase().replace(/^www\./, '');

/** What reading a project again has done, as one sentence or two. */
export function newsOf(synced: Pick<SyncedProject, 'changed' | 'problems'>): string {
  const names = synced.changed.map((name) => FIELD_WORDS[name as FieldName] ?? name);
  const done = names.length > 0 ? `Refreshed: ${names.join(', ')}.` : 'Nothing is new there.';
  return [done, ...complaintsOf(synced).map(({ text }) => text)].join(' ');
}
