import { describe, expect, it } from 'vitest';
import { EventStreamParser, type ParsedEvent } from './event-parser.ts';

const STREAM = ': hello\n\nid: 1\nevent: run.started\ndata: {"a":1}\n\nid:2\r\ndata: two\r\ndata: lines\r\n\r\n';

function read(pieces: string[]): ParsedEvent[] {
  const parser = new EventStreamParser();
  return pieces.flatMap((piece) => parser.push(piece));
}

describe('the event stream parser', () => {
  it('reads ids, types and data of several lines, and skips comments', () => {
    expect(read([STREAM])).toEqual([
      { id: '1', type: 'run.started', data: '{"a":1}' },
      { id: '2', type: 'message', data: 'two\nlines' },
    ]);
  });

  it('reads the same wherever the network cuts', () => {
    const whole = read([STREAM]);
    for (let cut = 1; cut < STREAM.length; cut++) {
      expect(read([STREAM.slice(0, cut), STREAM.slice(cut)]), `cut at ${cut}`).toEqual(whole);
    }
    expect(read([...STREAM])).toEqual(whole);
  });

  it('takes lone carriage returns for line ends', () => {
    expect(read(['data: a\r', '\r', 'data: b\r\r'])).toEqual([
      { id: null, type: 'message', data: 'a' },
      { id: null, type: 'message', data: 'b' },
    ]);
  });

  it('remembers the id over events that have none, and what the server asks for by retry', () => {
    const parser = new EventStreamParser();
    parser.push('retry: 3000\nid: 7\ndata: x\n\n');
    expect(parser.push('data: y\n\n')[0]!.id).toBe('7');
    expect(parser.retryMs).toBe(3000);
  });

  it('dispatches nothing for an event without data', () => {
    expect(read(['id: 3\nevent: nothing\n\n'])).toEqual([]);
  });
});
