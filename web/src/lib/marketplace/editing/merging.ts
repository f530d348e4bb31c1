import { FIELD_NAMES, same, type FieldName, type ProjectFields } from './fields.ts';

/** What became of two changes of the same project. */
export interface Merge {
  /** With all that only one side changed. Where both did, it holds what was typed here. */
  fields: ProjectFields;
  /** Changed on both sides, to different things: somebody has to choose. */
  conflicts: readonly FieldName[];
  /** Changed elsewhere alone, and taken over. */
  taken: readonly FieldName[];
}

/** Joins what was typed here and what was saved elsewhere, both begun from `base`. */
export function merge(base: ProjectFields, mine: ProjectFields, theirs: ProjectFields): Merge {
  const changedThere = FIELD_NAMES.filter((name) => !same(name, base, theirs) && !same(name, mine, theirs));
  const taken = changedThere.filter((name) => same(name, base, mine));
  const conflicts = changedThere.filter((name) => !same(name, base, mine));
  const fields = taken.reduce((joined, name) => ({ ...joined, [name]: theirs[name] }), mine);
  return { fields, conflicts, taken };
}
