import '@xterm/xterm/css/xterm.css';
import { FitAddon } from '@xterm/addon-fit';
import { Terminal, type ITheme } from '@xterm/xterm';
import type { TerminalSize } from '#lib/api/types.ts';

const COLOURS = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const;
const LINES_KEPT = 5_000;
const FONT_SIZE = 13;
const MOST = 1_000;

export interface ScreenOptions {
  label: string;
  /** Says how to leave: id of an element. */
  describedBy: string;
  onType: (keys: string) => void;
  /** F6 belongs to the room: it is the way out. */
  isForRoom: (event: KeyboardEvent) => boolean;
}

/** The characters of a terminal in an element. Loaded when the first one is shown: it is larger than the room. */
export class TerminalScreen {
  readonly #terminal: Terminal;
  readonly #fit = new FitAddon();
  readonly #themes: MutationObserver;

  constructor(element: HTMLElement, options: ScreenOptions) {
    this.#terminal = new Terminal({
      fontFamily: 'JetBrains Mono Variable, monospace',
      fontSize: FONT_SIZE,
      lineHeight: 1.25,
      scrollback: LINES_KEPT,
      screenReaderMode: true,
      minimumContrastRatio: 4.5,
      cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches,
      theme: themeOf(element),
    });
    this.#terminal.loadAddon(this.#fit);
    this.#terminal.open(element);
    this.#terminal.onData(options.onType);
    this.#terminal.attachCustomKeyEventHandler((event) => !options.isForRoom(event));
    this.#terminal.textarea?.setAttribute('aria-label', options.label);
    this.#terminal.textarea?.setAttribute('aria-describedby', options.describedBy);
    this.#themes = new MutationObserver(() => (this.#terminal.options.theme = themeOf(element)));
    this.#themes.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  }

  write(bytes: Uint8Array): void {
    this.#terminal.write(bytes);
  }

  clear(): void {
    this.#terminal.reset();
  }

  focus(): void {
    this.#terminal.focus();
  }

  /** Nobody types any more: no caret that asks for it. */
  set readOnly(readOnly: boolean) {
    this.#terminal.options.disableStdin = readOnly;
    this.#terminal.write(readOnly ? '\u001b[?25l' : '\u001b[?25h');
  }

  set size({ columns, rows }: TerminalSize) {
    if (columns !== this.#terminal.cols || rows !== this.#terminal.rows) this.#terminal.resize(columns, rows);
  }

  /** The size that fills the element, if it can be seen. */
  fitting(): TerminalSize | null {
    const proposed = this.#fit.proposeDimensions();
    if (!proposed || !(proposed.cols > 0 && proposed.rows > 0)) return null;
    return { columns: Math.min(MOST, proposed.cols), rows: Math.min(MOST, proposed.rows) };
  }

  dispose(): void {
    this.#themes.disconnect();
    this.#terminal.dispose();
  }
}

function themeOf(element: HTMLElement): ITheme {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const ansi = COLOURS.flatMap((name) => {
    const value = colour(`--ansi-${name}`);
    return [
      [name, value],
      [`bright${name.charAt(0).toUpperCase()}${name.slice(1)}`, value],
    ];
  });
  return {
    ...Object.fromEntries(ansi),
    background: colour('--code-surface'),
    foreground: colour('--code-text'),
    cursor: colour('--accent-text'),
    cursorAccent: colour('--code-surface'),
    selectionBackground: colour('--surface-3'),
  };
}
