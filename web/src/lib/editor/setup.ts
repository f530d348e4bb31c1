import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  closeCompletion,
  completeAnyWord,
  completionKeymap,
  completionStatus,
} from '@codemirror/autocomplete';
import { defaultKeymap, indentWithTab } from '@codemirror/commands';
import { bracketMatching, indentOnInput } from '@codemirror/language';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { EditorState, Prec, type Extension } from '@codemirror/state';
import {
  crosshairCursor,
  drawSelection,
  dropCursor,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
  rectangularSelection,
} from '@codemirror/view';
import { redo, undo } from './history.ts';
import { theme } from './theme.ts';

/** The page runs the code with this key, wherever the focus is. */
const RUN_KEY = 'Mod-Enter';

/** What every text is edited with, whatever its language. */
export function setup(leave: () => void): Extension {
  return [
    lineNumbers(),
    highlightActiveLineGutter(),
    highlightSpecialChars(),
    drawSelection(),
    dropCursor(),
    EditorState.allowMultipleSelections.of(true),
    indentOnInput(),
    bracketMatching(),
    closeBrackets(),
    // Before the keys that come with the completion.
    Prec.highest(keymap.of([{ key: 'Escape', run: stopLooking }])),
    autocompletion({ override: [completeAnyWord], icons: false }),
    rectangularSelection(),
    crosshairCursor(),
    highlightActiveLine(),
    highlightSelectionMatches(),
    search({ top: true }),
    EditorView.contentAttributes.of({ tabindex: '0', spellcheck: 'false', autocorrect: 'off', autocapitalize: 'off' }),
    theme,
    keymap.of([
      ...closeBracketsKeymap,
      { key: 'Mod-z', run: undo, preventDefault: true },
      { key: 'Mod-y', mac: 'Mod-Shift-z', run: redo, preventDefault: true },
      { key: 'Mod-Shift-z', run: redo, preventDefault: true },
      ...completionKeymap,
      ...searchKeymap,
      ...defaultKeymap.filter(({ key }) => key !== RUN_KEY),
      indentWithTab,
      { key: 'Escape', run: () => (leave(), true) },
    ]),
  ];
}

/** Words that are still being looked for must not cost a second Escape: nothing to close is on the screen yet. */
function stopLooking(view: EditorView): boolean {
  if (completionStatus(view.state) === 'pending') closeCompletion(view);
  return false;
}
