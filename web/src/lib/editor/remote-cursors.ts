import { Facet, StateEffect, type Extension, type Range } from '@codemirror/state';
import {
  Decoration,
  EditorView,
  ViewPlugin,
  WidgetType,
  type DecorationSet,
  type PluginValue,
  type ViewUpdate,
} from '@codemirror/view';
import type { Awareness } from 'y-protocols/awareness';
import type * as Y from 'yjs';
import { readPeer, type PeerUser } from '../collaboration/peers.svelte.ts';
import { fromCursor, type Span } from './positions.ts';

/** How long a name stays beside a caret after it moved. */
const NAME_MS = 2_000;

interface Source {
  text: Y.Text;
  awareness: Awareness;
}

export interface Placed {
  client: number;
  user: PeerUser;
  spans: Span[];
  movedAt: number;
}

const source = Facet.define<Source, Source | null>({ combine: (values) => values[0] ?? null });
const refresh = StateEffect.define<null>();

/** A thin caret in the person's colour, and their name for a moment after it moved. */
class Caret extends WidgetType {
  constructor(
    readonly user: PeerUser,
    readonly fresh: boolean,
  ) {
    super();
  }

  override eq(other: Caret): boolean {
    return this.fresh === other.fresh && this.sameAs(other.user);
  }

  override toDOM(): HTMLElement {
    const caret = document.createElement('span');
    caret.setAttribute('aria-hidden', 'true');
    const name = document.createElement('span');
    name.className = 'ocp-peer-name';
    name.textContent = this.user.name;
    caret.append(name);
    this.#paint(caret);
    return caret;
  }

  override updateDOM(caret: HTMLElement): boolean {
    if (caret.firstChild?.textContent !== this.user.name) return false;
    this.#paint(caret);
    return true;
  }

  override ignoreEvent(): boolean {
    return true;
  }

  sameAs(user: PeerUser): boolean {
    return this.user.name === user.name && this.user.colour === user.colour;
  }

  #paint(caret: HTMLElement): void {
    caret.className = `ocp-peer-caret ocp-person-${this.user.colour}${this.fresh ? ' is-fresh' : ''}`;
  }
}

/**
 * Draws where the others are. Positions are resolved when a cursor comes, and carried along with every change of the
 * text; one that points into a change which is not here yet is tried again when the text changes.
 */
class RemoteCursors implements PluginValue {
  decorations: DecorationSet = Decoration.none;
  placed = new Map<number, Placed>();

  readonly #view: EditorView;
  readonly #source: Source | null;
  readonly #unresolved = new Set<number>();
  #overview = document.createElement('div');
  #fade: ReturnType<typeof setTimeout> | undefined;
  #scheduled = false;
  #destroyed = false;

  constructor(view: EditorView) {
    this.#view = view;
    this.#source = view.state.facet(source);
    this.#overview.className = 'ocp-overview';
    this.#overview.setAttribute('aria-hidden', 'true');
    view.dom.append(this.#overview);
    for (const client of this.#source?.awareness.getStates().keys() ?? []) this.#place(client, 0);
    this.#draw();
    this.#source?.awareness.on('change', this.#moved);
  }

  update(update: ViewUpdate): void {
    const refreshed = update.transactions.some((tr) => tr.effects.some((effect) => effect.is(refresh)));
    if (update.docChanged) {
      for (const peer of this.placed.values()) {
        peer.spans = peer.spans.map(({ anchor, head }) => ({
          anchor: update.changes.mapPos(anchor, 1),
          head: update.changes.mapPos(head, 1),
        }));
      }
      for (const client of this.#unresolved) this.#place(client, Date.now());
    }
    if (update.docChanged || refreshed) this.#draw();
    else if (update.geometryChanged || update.heightChanged) this.#drawOverview();
  }

  destroy(): void {
    this.#destroyed = true;
    clearTimeout(this.#fade);
    this.#source?.awareness.off('change', this.#moved);
    this.#overview.remove();
  }

  readonly #moved = (changes: { added: number[]; updated: number[]; removed: number[] }): void => {
    const own = this.#source?.awareness.clientID;
    const clients = [...changes.added, ...changes.updated, ...changes.removed].filter((client) => client !== own);
    if (clients.length === 0) return;
    for (const client of clients) this.#place(client, Date.now());
    this.#redrawSoon();
  };

  #place(client: number, now: number): void {
    this.#unresolved.delete(client);
    const { text, awareness } = this.#source!;
    const state = awareness.getStates().get(client);
    const peer = state && client !== awareness.clientID ? readPeer(client, state) : null;
    if (!peer?.cursor) {
      this.placed.delete(client);
      return;
    }
    const { spans, complete } = fromCursor(text, peer.cursor);
    if (!complete) this.#unresolved.add(client);
    const before = this.placed.get(client);
    const moved = JSON.stringify(before?.spans) !== JSON.stringify(spans);
    this.placed.set(client, { client, user: peer.user, spans, movedAt: moved ? now : (before?.movedAt ?? now) });
  }

  /** Never inside an update of the view: presence can change while a local edit is being sent. */
  #redrawSoon(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (!this.#destroyed) this.#view.dispatch({ effects: refresh.of(null) });
    });
  }

  #draw(): void {
    const length = this.#view.state.doc.length;
    const now = Date.now();
    const ranges: Range<Decoration>[] = [];
    for (const { user, spans, movedAt } of this.placed.values()) {
      const fresh = now - movedAt < NAME_MS;
      for (const [index, { anchor, head }] of spans.entries()) {
        const from = Math.min(anchor, head, length);
        const to = Math.min(Math.max(anchor, head), length);
        const at = Math.min(head, length);
        const selected = Decoration.mark({ class: `ocp-peer-selection ocp-person-${user.colour}` });
        if (from < to) ranges.push(selected.range(from, to));
        ranges.push(Decoration.widget({ widget: new Caret(user, fresh && index === 0), side: 1 }).range(at));
      }
    }
    this.decorations = Decoration.set(ranges, true);
    this.#fadeSoon(now);
    this.#drawOverview();
  }

  #fadeSoon(now: number): void {
    clearTimeout(this.#fade);
    const left = [...this.placed.values()].map(({ movedAt }) => movedAt + NAME_MS - now).filter((ms) => ms > 0);
    if (left.length > 0) this.#fade = setTimeout(() => this.#redrawSoon(), Math.min(...left) + 10);
  }

  /** One mark for each person beside the scrollbar, at the height of their line in the whole text. */
  #drawOverview(): void {
    this.#view.requestMeasure({
      key: this,
      read: (view) =>
        [...this.placed.values()].flatMap(({ user, spans }) => {
          const head = spans[0]?.head;
          if (head === undefined) return [];
          const { top } = view.lineBlockAt(Math.min(head, view.state.doc.length));
          const share = top / Math.max(view.contentHeight, view.scrollDOM.clientHeight, 1);
          return [{ user, share: Math.min(0.99, share) }];
        }),
      write: (marks) => {
        this.#overview.replaceChildren(
          ...marks.map(({ user, share }) => {
            const mark = document.createElement('div');
            mark.className = `ocp-overview-mark ocp-person-${user.colour}`;
            mark.style.top = `${(share * 100).toFixed(2)}%`;
            return mark;
          }),
        );
      },
    });
  }
}

const plugin = ViewPlugin.fromClass(RemoteCursors, { decorations: (value) => value.decorations });

export function remoteCursors(text: Y.Text, awareness: Awareness): Extension {
  return [source.of({ text, awareness }), plugin];
}

/** Where a person's main caret is, or `null` when they are not in this text. */
export function headOf(view: EditorView, userId: string): number | null {
  for (const { user, spans } of view.plugin(plugin)?.placed.values() ?? []) {
    if (user.id === userId && spans[0]) return Math.min(spans[0].head, view.state.doc.length);
  }
  return null;
}
