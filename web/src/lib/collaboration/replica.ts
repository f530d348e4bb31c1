import { Awareness } from 'y-protocols/awareness';
import * as Y from 'yjs';

/** Our copy of the document, and who is where in it. */
export class Replica {
  readonly doc = new Y.Doc();
  readonly awareness = new Awareness(this.doc);

  destroy(): void {
    this.awareness.destroy();
    this.doc.destroy();
  }
}
