import * as Y from 'yjs';

/**
 * The history of one person in one text: only their own changes, and none while writing is closed. Undo through the
 * browser's own menu reaches the manager past every key map, so the lock is here.
 */
export class OwnUndo extends Y.UndoManager {
  locked = false;

  override undo() {
    return this.locked ? null : super.undo();
  }

  override redo() {
    return this.locked ? null : super.redo();
  }
}

/** One history for each text of a document; it outlives switching to another language and back. */
export class Histories {
  readonly #byText = new Map<Y.Text, OwnUndo>();

  of(text: Y.Text): OwnUndo {
    let history = this.#byText.get(text);
    if (!history) {
      history = new OwnUndo(text, { trackedOrigins: new Set(), captureTimeout: 400 });
      this.#byText.set(text, history);
    }
    return history;
  }

  lock(locked: boolean): void {
    for (const history of this.#byText.values()) history.locked = locked;
  }

  destroy(): void {
    for (const history of this.#byText.values()) history.destroy();
    this.#byText.clear();
  }
}
