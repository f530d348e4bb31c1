import type { Extension } from '@codemirror/state';
import { EditorView, ViewPlugin, type PluginValue, type ViewUpdate } from '@codemirror/view';
import type { Awareness } from 'y-protocols/awareness';
import type * as Y from 'yjs';
import { toCursor } from './positions.ts';

/** The server passes states on every 30 ms at most; a little more leaves it nothing to drop. */
const PUBLISH_EVERY_MS = 40;

/** Tells the others where we are, at once and then at a steady pace while we move. */
export function ownCursor(text: Y.Text, awareness: Awareness): Extension {
  class OwnCursor implements PluginValue {
    #timer: ReturnType<typeof setTimeout> | undefined;
    #publishedAt = 0;
    #last = '';

    constructor(readonly view: EditorView) {
      this.#later();
    }

    update(update: ViewUpdate): void {
      if (update.selectionSet || update.docChanged || update.focusChanged) this.#later();
    }

    destroy(): void {
      clearTimeout(this.#timer);
    }

    #later(): void {
      const wait = Math.max(0, this.#publishedAt + PUBLISH_EVERY_MS - Date.now());
      this.#timer ??= setTimeout(() => this.#publish(), wait);
    }

    #publish(): void {
      this.#timer = undefined;
      this.#publishedAt = Date.now();
      const { ranges, mainIndex } = this.view.state.selection;
      const cursor = toCursor(text, ranges, mainIndex);
      const printed = JSON.stringify(cursor);
      if (printed === this.#last) return;
      this.#last = printed;
      awareness.setLocalStateField('cursor', cursor);
    }
  }
  return ViewPlugin.fromClass(OwnCursor);
}
