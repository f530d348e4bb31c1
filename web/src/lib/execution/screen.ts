import { AnsiReader, type Span } from './ansi.ts';

export type Stream = 'stdout' | 'stderr';

export interface Line {
  stream: Stream;
  spans: Span[];
}

/** What one run has printed, as lines in the order in which the program wrote them. */
export class Screen {
  lines: Line[] = [];
  readonly #readers: Record<Stream, AnsiReader> = { stdout: new AnsiReader(), stderr: new AnsiReader() };
  #open: Stream | null = null;
  #carriageReturn = false;

  write(stream: Stream, text: string): void {
    // A line belongs to one stream: what the other one says in between starts a line of its own.
    if (this.#open !== null && this.#open !== stream) this.#open = null;
    for (const span of this.#readers[stream].read(text)) this.#print(stream, span);
  }

  #print(stream: Stream, { text, look }: Span): void {
    for (const part of text.split(/(\r\n|\n|\r)/)) {
      if (part === '') continue;
      if (part === '\r') this.#carriageReturn = true;
      else if (part === '\n' || part === '\r\n') this.#endLine(stream);
      else this.#put(stream, part, look);
    }
  }

  #endLine(stream: Stream): void {
    if (this.#open === null) this.lines.push({ stream, spans: [] });
    this.#open = null;
    this.#carriageReturn = false;
  }

  /** Lines are replaced, never changed, so that whoever draws them can tell by identity which ones are new. */
  #put(stream: Stream, text: string, look: string): void {
    if (this.#open === null) {
      this.lines.push({ stream, spans: [] });
      this.#open = stream;
    }
    // A progress bar writes its line again from the start.
    const spans = this.#carriageReturn ? [] : this.lines.at(-1)!.spans;
    this.#carriageReturn = false;
    const last = spans.at(-1);
    const grown =
      last?.look === look ? [...spans.slice(0, -1), { text: last.text + text, look }] : [...spans, { text, look }];
    this.lines[this.lines.length - 1] = { stream, spans: grown };
  }
}

export const textOf = (line: Line) => line.spans.map(({ text }) => text).join('');
