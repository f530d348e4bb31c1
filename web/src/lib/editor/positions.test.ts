import { EditorSelection } from '@codemirror/state';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import { fromCursor, toCursor } from './positions.ts';
import { Histories } from './undo.ts';

/** Two people with one text; what one does reaches the other. */
function pair(content = ''): { mine: Y.Doc; theirs: Y.Doc; sync: () => void } {
  const mine = new Y.Doc();
  const theirs = new Y.Doc();
  mine.getText('python').insert(0, content);
  const sync = () => {
    Y.applyUpdate(theirs, Y.encodeStateAsUpdate(mine, Y.encodeStateVector(theirs)), 'remote');
    Y.applyUpdate(mine, Y.encodeStateAsUpdate(theirs, Y.encodeStateVector(mine)), 'remote');
  };
  sync();
  return { mine, theirs, sync };
}
const overTheWire = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

describe('a cursor on its way to the others', () => {
  it('carries all selections, the main one first', () => {
    const { mine, theirs } = pair('one two three');
    const ranges = [EditorSelection.range(0, 3), EditorSelection.range(7, 4)];
    const cursor = overTheWire(toCursor(mine.getText('python'), ranges, 1));
    expect(fromCursor(theirs.getText('python'), cursor)).toEqual({
      spans: [
        { anchor: 7, head: 4 },
        { anchor: 0, head: 3 },
      ],
      complete: true,
    });
  });

  it('fits the wire: flat, and small with many selections too', () => {
    const { mine } = pair('x\n'.repeat(200));
    const ranges = Array.from({ length: 100 }, (_, line) => EditorSelection.cursor(line * 2));
    const cursor = toCursor(mine.getText('python'), ranges, 0);
    const depth = (value: unknown): number =>
      typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depth)) : 0;
    // docs/protocol.md and the server: 4 KiB and four levels, the state itself being the first.
    expect(depth({ cursor })).toBeLessThanOrEqual(4);
    expect(JSON.stringify({ cursor }).length).toBeLessThan(1_500);
  });

  it('stays at its place while the text before it grows', () => {
    const { mine, theirs } = pair('abc');
    const cursor = toCursor(mine.getText('python'), [EditorSelection.cursor(2)], 0);
    theirs.getText('python').insert(0, 'xx');
    expect(fromCursor(theirs.getText('python'), overTheWire(cursor)).spans).toEqual([{ anchor: 4, head: 4 }]);
  });

  it('is unknown, and not wrong, until the change that it points into is here', () => {
    const { mine, theirs, sync } = pair('abc');
    mine.getText('python').insert(3, 'def');
    const cursor = overTheWire(toCursor(mine.getText('python'), [EditorSelection.cursor(5)], 0));
    expect(fromCursor(theirs.getText('python'), cursor)).toEqual({ spans: [], complete: false });
    sync();
    expect(fromCursor(theirs.getText('python'), cursor).spans).toEqual([{ anchor: 5, head: 5 }]);
  });

  it('in another text is not shown in this one', () => {
    const { mine } = pair('abc');
    mine.getText('c').insert(0, 'int');
    const cursor = toCursor(mine.getText('c'), [EditorSelection.cursor(1)], 0);
    expect(fromCursor(mine.getText('python'), cursor)).toEqual({ spans: [], complete: true });
  });

  it.each([[null], [5], ['x'], [{}], [{ item: 'x' }], [{ item: { client: 'a', clock: -1 } }], [{ tname: 7 }], [[]]])(
    'may be nonsense (%j) and does no harm',
    (nonsense) => {
      const { mine } = pair('abc');
      const cursor = { anchor: nonsense, head: nonsense, others: [nonsense, 'AAAA', '%'] };
      const { spans } = fromCursor(mine.getText('python'), cursor);
      for (const { anchor, head } of spans) expect([anchor, head].every((at) => at >= 0 && at <= 3)).toBe(true);
    },
  );
});

describe('undo', () => {
  /** A small generator with a seed, so that a failure can be seen again. */
  function chance(seed: number): (below: number) => number {
    let state = seed;
    return (below) => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state % below;
    };
  }

  it.each(Array.from({ length: 30 }, (_, seed) => seed + 1))('takes back only what is one’s own (%i)', (seed) => {
    const next = chance(seed);
    const { mine, theirs, sync } = pair();
    const text = mine.getText('python');
    const history = new Histories().of(text);
    history.addTrackedOrigin('me');
    for (let step = 0; step < 60; step++) {
      if (next(2) === 0) mine.transact(() => text.insert(next(text.length + 1), 'm'), 'me');
      else theirs.getText('python').insert(next(theirs.getText('python').length + 1), 't');
      if (next(3) === 0) sync();
      if (next(6) === 0) history.stopCapturing();
    }
    sync();
    const others = text.toString().replaceAll('m', '');
    while (history.undo()) sync();
    expect(text.toString()).toBe(others);
    expect(theirs.getText('python').toString()).toBe(others);
  });

  it('does nothing while writing is closed', () => {
    const { mine } = pair();
    const text = mine.getText('python');
    const histories = new Histories();
    const history = histories.of(text);
    history.addTrackedOrigin('me');
    mine.transact(() => text.insert(0, 'abc'), 'me');
    histories.lock(true);
    expect(history.undo()).toBeNull();
    expect(text.toString()).toBe('abc');
    histories.lock(false);
    history.undo();
    expect(text.toString()).toBe('');
  });
});
