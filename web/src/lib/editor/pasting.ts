import type { Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';

/** How much was pasted and where; never what. */
export interface Paste {
  size: number;
  line: number;
  column: number;
}

/** One change must fit into one frame of 256 KiB, and a character may take three bytes. */
export const LONGEST_PASTE = 80_000;

/** Line ends need no care: CodeMirror reads CR and CRLF as line breaks, and the shared text only ever gets LF. */
export function pasting(told: (paste: Paste) => void, refused: (size: number) => void): Extension {
  const look = (data: DataTransfer | null, view: EditorView): boolean => {
    const size = data?.getData('text/plain').length ?? 0;
    if (size === 0 || view.state.readOnly) return false;
    if (size > LONGEST_PASTE) {
      refused(size);
      return true;
    }
    const { head } = view.state.selection.main;
    const line = view.state.doc.lineAt(head);
    told({ size, line: line.number, column: head - line.from + 1 });
    return false;
  };
  return EditorView.domEventHandlers({
    paste: (event, view) => look(event.clipboardData, view) && stop(event),
    drop: (event, view) => look(event.dataTransfer, view) && stop(event),
  });
}

function stop(event: Event): true {
  event.preventDefault();
  return true;
}
