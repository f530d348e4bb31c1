export interface ParsedEvent {
  id: string | null;
  type: string;
  data: string;
}

/**
 * Reads `text/event-stream` piece by piece, as the WHATWG HTML standard defines it: a network may cut the text
 * anywhere, between CR and LF too.
 */
export class EventStreamParser {
  lastEventId: string | null = null;
  /** What the server asked for by `retry:`, in milliseconds. */
  retryMs: number | null = null;

  #rest = '';
  #skipLineFeed = false;
  #type = '';
  #data: string[] = [];

  /** Takes the next piece and answers with the events that it completed. */
  push(piece: string): ParsedEvent[] {
    const events: ParsedEvent[] = [];
    for (const line of this.#lines(piece)) {
      const event = this.#line(line);
      if (event) events.push(event);
    }
    return events;
  }

  #lines(piece: string): string[] {
    if (piece === '') return [];
    const fresh = this.#skipLineFeed && piece.startsWith('\n') ? piece.slice(1) : piece;
    // A lone CR at the very end may be the first half of CRLF: the line is done, the LF is skipped when it comes.
    this.#skipLineFeed = piece.endsWith('\r');
    const text = this.#rest + fresh;
    const lines = text.split(/\r\n|\r|\n/);
    this.#rest = lines.pop() ?? '';
    return lines;
  }

  #line(line: string): ParsedEvent | null {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return null;
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#type = value;
    else if (field === 'data') this.#data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.lastEventId = value;
    else if (field === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value);
    return null;
  }

  #dispatch(): ParsedEvent | null {
    const data = this.#data;
    const type = this.#type || 'message';
    this.#data = [];
    this.#type = '';
    return data.length === 0 ? null : { id: this.lastEventId, type, data: data.join('\n') };
  }
}
