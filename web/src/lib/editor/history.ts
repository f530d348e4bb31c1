import { Facet, type StateCommand } from '@codemirror/state';
import type { OwnUndo } from './undo.ts';

/** The history that the keys of a view act on. */
export const ownHistory = Facet.define<OwnUndo, OwnUndo | null>({ combine: (values) => values[0] ?? null });

export const undo: StateCommand = ({ state }) => (state.facet(ownHistory)?.undo(), true);
export const redo: StateCommand = ({ state }) => (state.facet(ownHistory)?.redo(), true);
