import { indentUnit } from '@codemirror/language';
import { Compartment, EditorState, type Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { yCollab } from 'y-codemirror.next';
import type { Replica } from '../collaboration/replica.ts';
import { ownHistory } from './history.ts';
import { indentOf, loadGrammar } from './languages.ts';
import { ownCursor } from './own-cursor.ts';
import { pasting, type Paste } from './pasting.ts';
import { headOf, remoteCursors } from './remote-cursors.ts';
import { remoteEdits, type RemoteEdit } from './remote-edits.ts';
import { setup } from './setup.ts';
import { Histories } from './undo.ts';

export interface EditorEvents {
  /** Escape: the keyboard user wants to go on to something else. */
  leave(): void;
  focus(): void;
  paste(paste: Paste): void;
  pasteRefused(size: number): void;
  /** Any own key, click or scroll in the editor. */
  input(): void;
  /** An input method composes: text that others write has to wait, or the composed line shifts under it. */
  composing(active: boolean): void;
  remoteEdit(edit: RemoteEdit): void;
  selection(place: { line: number; column: number; selected: number }): void;
}

/** The last keys of a composition reach the text a moment after its end. */
const COMPOSITION_SETTLES_MS = 60;

/** One CodeMirror view for one shared document. It shows one text at a time; histories live as long as the document. */
export class CodeEditor {
  readonly #view: EditorView;
  readonly #events: EditorEvents;
  readonly #replica: Replica;
  readonly #histories = new Histories();
  readonly #grammar = new Compartment();
  readonly #access = new Compartment();
  readonly #wrapping = new Compartment();
  readonly #keys = new Compartment();
  #language = '';
  #readOnly = true;
  #wrap = false;
  #vim: Extension = [];
  #composition: ReturnType<typeof setTimeout> | undefined;
  #destroyed = false;

  constructor(parent: HTMLElement, replica: Replica, events: EditorEvents) {
    this.#replica = replica;
    this.#events = events;
    this.#view = new EditorView({ parent });
  }

  /** Show the text of a language. Text and cursor are there at once; colours follow when the grammar is loaded. */
  open(language: string, label: string): void {
    if (this.#language === language) return;
    this.#language = language;
    this.#view.setState(this.#stateFor(language, label));
    this.#told();
    void this.#colour(language);
  }

  async #colour(language: string): Promise<void> {
    const grammar = await loadGrammar(language);
    if (this.#destroyed || language !== this.#language) return;
    this.#view.dispatch({ effects: this.#grammar.reconfigure(grammar) });
  }

  #stateFor(language: string, label: string): EditorState {
    const text = this.#replica.doc.getText(language);
    const { awareness } = this.#replica;
    const history = this.#histories.of(text);
    history.locked = this.#readOnly;
    const indent = indentOf(language);
    return EditorState.create({
      doc: text.toString(),
      extensions: [
        this.#keys.of(this.#vim),
        setup(() => this.#events.leave()),
        this.#access.of(this.#accessNow()),
        this.#wrapping.of(this.#wrap ? EditorView.lineWrapping : []),
        this.#grammar.of([]),
        indentUnit.of(' '.repeat(indent)),
        EditorState.tabSize.of(indent),
        EditorView.contentAttributes.of({ 'aria-label': label }),
        ownHistory.of(history),
        yCollab(text, null, { undoManager: history }),
        remoteCursors(text, awareness),
        ownCursor(text, awareness),
        remoteEdits(text, awareness, (edit) => this.#events.remoteEdit(edit)),
        pasting(
          (paste) => this.#events.paste(paste),
          (size) => this.#events.pasteRefused(size),
        ),
        this.#listeners(),
      ],
    });
  }

  #listeners(): Extension {
    const input = () => (this.#events.input(), false);
    const compose = (active: boolean) => () => (this.#compose(active), false);
    return [
      EditorView.updateListener.of((update) => {
        if (update.selectionSet || update.docChanged) this.#told();
      }),
      EditorView.domEventHandlers({
        focus: () => (this.#events.focus(), false),
        keydown: input,
        pointerdown: input,
        wheel: input,
        touchmove: input,
        compositionstart: compose(true),
        compositionend: compose(false),
      }),
    ];
  }

  #told(): void {
    const { doc, selection } = this.#view.state;
    const { head } = selection.main;
    const line = doc.lineAt(head);
    const selected = selection.ranges.reduce((sum, { from, to }) => sum + to - from, 0);
    this.#events.selection({ line: line.number, column: head - line.from + 1, selected });
  }

  #compose(active: boolean): void {
    clearTimeout(this.#composition);
    if (active) this.#events.composing(true);
    else this.#composition = setTimeout(() => this.#events.composing(false), COMPOSITION_SETTLES_MS);
  }

  set readOnly(readOnly: boolean) {
    this.#readOnly = readOnly;
    this.#histories.lock(readOnly);
    this.#view.dispatch({ effects: this.#access.reconfigure(this.#accessNow()) });
  }

  #accessNow(): Extension {
    return [
      EditorState.readOnly.of(this.#readOnly),
      EditorView.contentAttributes.of({ 'aria-readonly': String(this.#readOnly) }),
    ];
  }

  set wrap(wrap: boolean) {
    this.#wrap = wrap;
    this.#view.dispatch({ effects: this.#wrapping.reconfigure(wrap ? EditorView.lineWrapping : []) });
  }

  async useVim(on: boolean): Promise<void> {
    this.#vim = on ? (await import('@replit/codemirror-vim')).vim() : [];
    if (!this.#destroyed) this.#view.dispatch({ effects: this.#keys.reconfigure(this.#vim) });
  }

  focus(): void {
    this.#view.focus();
  }

  /** Put the caret at a place that a program's output named, counted from 1. */
  jump(line: number, column = 1): void {
    const { doc } = this.#view.state;
    const target = doc.line(Math.min(Math.max(1, line), doc.lines));
    const anchor = Math.min(target.from + Math.max(0, column - 1), target.to);
    this.#view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: 'center' }) });
    this.#view.focus();
  }

  /** Bring a person's caret into sight. */
  reveal(userId: string): void {
    const head = headOf(this.#view, userId);
    if (head === null) return;
    const margin = Math.min(120, this.#view.scrollDOM.clientHeight / 4);
    this.#view.dispatch({ effects: EditorView.scrollIntoView(head, { y: 'nearest', yMargin: margin }) });
  }

  destroy(): void {
    this.#destroyed = true;
    clearTimeout(this.#composition);
    this.#events.composing(false);
    this.#view.destroy();
    this.#histories.destroy();
  }
}

