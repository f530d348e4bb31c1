/** One run of characters of the same look. */
export interface Span {
  text: string;
  /** Class names only, from a fixed set: nothing of what a program prints becomes a style or a tag. */
  look: string;
}

interface Style {
  foreground: string;
  background: string;
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
  inverse: boolean;
}

const PLAIN: Style = {
  foreground: '',
  background: '',
  bold: false,
  dim: false,
  italic: false,
  underline: false,
  inverse: false,
};
const NAMES = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const;
const ESCAPE = '\u001b';
/** Longer than any sequence that means something to us. */
const LONGEST_SEQUENCE = 64;
// eslint-disable-next-line no-control-regex
const SEQUENCE = /^\u001b(?:\[([0-?]*)[ -/]*([@-~])|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[PX^_][^\u001b]*\u001b\\|(?![\][PX^_])[ -/]*[0-~])/;
// eslint-disable-next-line no-control-regex
const UNFINISHED = /^\u001b(?:\[[0-?]*[ -/]*|\][^\u0007\u001b]*\u001b?|[PX^_][^\u001b]*\u001b?|[ -/]*)?$/;
// eslint-disable-next-line no-control-regex
const INVISIBLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001a\u001c-\u001f\u007f]/g;

/**
 * Reads colours and emphasis out of terminal output, piece by piece; a piece may end inside a sequence.
 * Everything else that a terminal would obey (moving the cursor, titles, links) is left out.
 */
export class AnsiReader {
  #style: Style = PLAIN;
  #rest = '';

  read(piece: string): Span[] {
    const spans: Span[] = [];
    let text = this.#rest + piece;
    this.#rest = '';
    while (text !== '') {
      const escape = text.indexOf(ESCAPE);
      if (escape !== 0) {
        this.#say(spans, escape < 0 ? text : text.slice(0, escape));
        text = escape < 0 ? '' : text.slice(escape);
        continue;
      }
      const sequence = SEQUENCE.exec(text);
      if (!sequence && text.length < LONGEST_SEQUENCE && UNFINISHED.test(text)) {
        this.#rest = text;
        break;
      }
      if (sequence?.[2] === 'm') this.#style = restyle(this.#style, sequence[1] ?? '');
      text = text.slice(sequence ? sequence[0].length : 1);
    }
    return spans;
  }

  #say(spans: Span[], raw: string): void {
    const text = raw.replace(INVISIBLE, '');
    if (text !== '') spans.push({ text, look: lookOf(this.#style) });
  }
}

function lookOf(style: Style): string {
  const looks: string[] = [];
  if (style.foreground) looks.push(`ansi-${style.foreground}`);
  if (style.background) looks.push(`ansi-on-${style.background}`);
  for (const name of ['bold', 'dim', 'italic', 'underline', 'inverse'] as const) {
    if (style[name]) looks.push(`ansi-${name}`);
  }
  return looks.join(' ');
}

const EMPHASIS: Record<number, Partial<Style>> = {
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  7: { inverse: true },
  22: { bold: false, dim: false },
  23: { italic: false },
  24: { underline: false },
  27: { inverse: false },
  39: { foreground: '' },
  49: { background: '' },
};

function restyle(before: Style, parameters: string): Style {
  const codes = parameters.split(/[;:]/).map(Number);
  let style = before;
  for (let index = 0; index < codes.length; index++) {
    const code = codes[index] ?? 0;
    if (code === 38 || code === 48) {
      const { name, used } = extended(codes, index + 1);
      style = { ...style, [code === 38 ? 'foreground' : 'background']: name };
      index += used;
    } else style = code === 0 ? PLAIN : { ...style, ...(EMPHASIS[code] ?? colour(code)) };
  }
  return style;
}

function colour(code: number): Partial<Style> {
  const name = NAMES[code % 10];
  if (!name) return {};
  if (code >= 30 && code <= 37) return { foreground: name };
  if (code >= 40 && code <= 47) return { background: name };
  if (code >= 90 && code <= 97) return { foreground: `bright-${name}` };
  return code >= 100 && code <= 107 ? { background: `bright-${name}` } : {};
}

/** 256 colours and true colour come as the nearest of our sixteen, which read on both themes. */
function extended(codes: number[], at: number): { name: string; used: number } {
  if (codes[at] === 2) return { name: nearest(codes[at + 1] ?? 0, codes[at + 2] ?? 0, codes[at + 3] ?? 0), used: 4 };
  if (codes[at] !== 5) return { name: '', used: 1 };
  const index = codes[at + 1] ?? 0;
  const name = index < 16 ? `${index > 7 ? 'bright-' : ''}${NAMES[index % 8]}` : ofCube(index);
  return { name, used: 2 };
}

function ofCube(index: number): string {
  if (index >= 232) return nearest((index - 232) * 10, (index - 232) * 10, (index - 232) * 10);
  const step = (value: number) => (value % 6) * 51;
  const cube = index - 16;
  return nearest(step(Math.floor(cube / 36)), step(Math.floor(cube / 6)), step(cube));
}

function nearest(red: number, green: number, blue: number): string {
  const bit = (value: number) => (value > 110 ? 1 : 0);
  const name = NAMES[bit(red) + 2 * bit(green) + 4 * bit(blue)] ?? 'white';
  return Math.max(red, green, blue) > 200 ? `bright-${name}` : name;
}
