import type { EditorEvents } from '#lib/editor/code-editor.ts';
import { toasts } from '#lib/ui/toasts.svelte.ts';
import type { Room } from './room.svelte.ts';

export const RUN_BUTTON = 'run-button';

/** What the room does with what happens in the editor. */
export function editorEvents(room: Room): EditorEvents {
  let told = false;
  return {
    leave: () => document.getElementById(RUN_BUTTON)?.focus(),
    focus: () => {
      if (told) return;
      told = true;
      room.announcer.say('In the editor, Tab indents. Press Escape to leave it.');
    },
    paste: (paste) => room.observer?.paste({ ...paste, language: room.language }),
    pasteRefused: (size) =>
      toasts.show(`${size.toLocaleString('en')} characters are too many to paste at once. Paste 80,000 or fewer.`, { tone: 'warn' }),
    input: () => (room.following = null),
    composing: (active) => room.connection?.hold(active),
    remoteEdit: (edit) => room.announcer.edited(edit),
    selection: (caret) => (room.caret = caret),
  };
}
