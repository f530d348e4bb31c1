import { describe, expect, it } from 'vitest';
import { AnsiReader } from './ansi.ts';
import { findPlaces, withPlaces } from './places.ts';
import { splitArguments } from './runs.svelte.ts';
import { Screen, textOf } from './screen.ts';

const ESC = '\u001b';

describe('colours', () => {
  it('become classes of a fixed set', () => {
    const spans = new AnsiReader().read(`${ESC}[1;31mno${ESC}[0m yes ${ESC}[38;2;10;220;10mgreen`);
    expect(spans).toEqual([
      { text: 'no', look: 'ansi-red ansi-bold' },
      { text: ' yes ', look: '' },
      { text: 'green', look: 'ansi-bright-green' },
    ]);
  });

  it('survive a sequence that is cut anywhere', () => {
    const whole = `a${ESC}[32mb${ESC}[0mc${ESC}]0;title\u0007d`;
    for (let cut = 0; cut <= whole.length; cut++) {
      const reader = new AnsiReader();
      const spans = [...reader.read(whole.slice(0, cut)), ...reader.read(whole.slice(cut))];
      expect(spans.map(({ text }) => text).join('')).toBe('abcd');
      expect(spans.find(({ text }) => text === 'b')?.look).toBe('ansi-green');
    }
  });

  it('leave out everything else that a terminal would obey', () => {
    expect(new AnsiReader().read(`${ESC}[2J${ESC}[Hx\u0000\u0007${ESC}(By`).map(({ text }) => text).join('')).toBe('xy');
  });

  it('do not wait for ever for a sequence that never ends', () => {
    const reader = new AnsiReader();
    expect(reader.read(`${ESC}[${'1;'.repeat(60)}`).length).toBeGreaterThan(0);
  });
});

describe('lines', () => {
  const shown = (...pieces: string[]) => {
    const screen = new Screen();
    for (const piece of pieces) screen.write('stdout', piece);
    return screen.lines.map(textOf);
  };

  it('are the same however the output was cut', () => {
    expect(shown('one\ntw', 'o\n', '\nfour')).toEqual(['one', 'two', '', 'four']);
    expect(shown('a\r\nb\r', '\nc')).toEqual(['a', 'b', 'c']);
  });

  it('are written again after a carriage return', () => {
    expect(shown('10 %\r20 %\r100 %\ndone\n')).toEqual(['100 %', 'done']);
  });

  it('belong to one stream each', () => {
    const screen = new Screen();
    screen.write('stdout', 'out');
    screen.write('stderr', 'err\n');
    screen.write('stdout', 'more\n');
    expect(screen.lines.map(({ stream }) => stream)).toEqual(['stdout', 'stderr', 'stdout']);
  });
});

describe('places in the code', () => {
  it.each([
    ['  File "/box/main.py", line 12, in solve', 'main.py', 12, 1],
    ['main.c:3:14: error: expected ;', 'main.c', 3, 14],
    ['\tat Main.main(Main.java:7)', 'Main.java', 7, 1],
    ['    at solve (/tmp/x/main.js:20:5)', 'main.js', 20, 5],
  ])('are found in %j', (text, file, line, column) => {
    expect(findPlaces(text, file)).toMatchObject([{ line, column }]);
  });

  it('of libraries are not offered', () => {
    expect(findPlaces('File "/usr/lib/python3/json.py", line 3', 'main.py')).toEqual([]);
  });

  it('keep their colours when cut out', () => {
    const pieces = withPlaces([{ text: 'see main.c', look: '' }, { text: ':3 now', look: 'ansi-red' }], 'main.c');
    expect(pieces.map(({ text, look, place }) => [text, look, place?.line ?? null])).toEqual([
      ['see ', '', null],
      ['main.c', '', 3],
      [':3', 'ansi-red', 3],
      [' now', 'ansi-red', null],
    ]);
  });
});

describe('arguments', () => {
  it('are split as a shell would', () => {
    expect(splitArguments(`one "two three" 'four five' --x="" "a\\"b"`)).toEqual([
      'one',
      'two three',
      'four five',
      '--x=""',
      'a"b',
    ]);
  });
});
