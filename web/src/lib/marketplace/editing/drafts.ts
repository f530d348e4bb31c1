import { EMPTY, FIELD_NAMES, type ProjectFields } from './fields.ts';

/** What somebody typed and has not saved, with what they began from. */
export interface LocalDraft {
  revision: number;
  base: ProjectFields;
  fields: ProjectFields;
}

const keyOf = (slug: string | null) => `ocp.project-draft.${slug ?? 'new'}`;

/** Text kept in this browser. Without storage (private windows) everything works, but nothing is kept. */
export const drafts = {
  read(slug: string | null): LocalDraft | null {
    try {
      return draftFrom(JSON.parse(localStorage.getItem(keyOf(slug)) ?? 'null'));
    } catch {
      return null;
    }
  },
  keep(slug: string | null, draft: LocalDraft): void {
    try {
      localStorage.setItem(keyOf(slug), JSON.stringify(draft));
    } catch {
      // Full or forbidden: the text is still on the page.
    }
  },
  drop(slug: string | null): void {
    try {
      localStorage.removeItem(keyOf(slug));
    } catch {
      // Nothing was kept.
    }
  },
};

/** A draft of an older version of this page may lack fields, or be anything. */
function draftFrom(value: unknown): LocalDraft | null {
  if (typeof value !== 'object' || value === null) return null;
  const { revision, base, fields } = value as Partial<LocalDraft>;
  if (typeof revision !== 'number' || !isFields(base) || !isFields(fields)) return null;
  return { revision, base, fields };
}

function isFields(value: unknown): value is ProjectFields {
  if (typeof value !== 'object' || value === null) return false;
  const fields = value as Record<string, unknown>;
  return FIELD_NAMES.every(
    (name) => typeof fields[name] === typeof EMPTY[name] && Array.isArray(fields[name]) === Array.isArray(EMPTY[name]),
  );
}
