import * as encoding from 'lib0/encoding';
import { describe, expect, it } from 'vitest';
import { decode, encodeAwareness, encodeStep1, encodeStep2, encodeUpdate } from './codec.ts';

const bytes = (...values: number[]) => new Uint8Array(values);
const frame = (write: (encoder: encoding.Encoder) => void) => encoding.encode(write);

describe('the wire of a document', () => {
  it('is that of y-websocket for sync and presence', () => {
    expect([...encodeStep1(bytes(0))]).toEqual([0, 0, 1, 0]);
    expect([...encodeStep2(bytes(0, 0))]).toEqual([0, 1, 2, 0, 0]);
    expect([...encodeUpdate(bytes(7))]).toEqual([0, 2, 1, 7]);
    expect([...encodeAwareness(bytes(5, 6))]).toEqual([1, 2, 5, 6]);
  });

  it('reads back what it writes', () => {
    expect(decode(encodeStep1(bytes(1)))).toEqual({ type: 'step-1', stateVector: bytes(1) });
    expect(decode(encodeStep2(bytes(2)))).toEqual({ type: 'step-2', update: bytes(2) });
    expect(decode(encodeUpdate(bytes(3)))).toEqual({ type: 'update', update: bytes(3) });
    expect(decode(encodeAwareness(bytes(4)))).toEqual({ type: 'awareness', update: bytes(4) });
    expect(decode(bytes(3))).toEqual({ type: 'query-awareness' });
  });

  it('reads what the server says of itself, in any script', () => {
    const hello = frame((e) => {
      encoding.writeVarUint(e, 100);
      encoding.writeVarString(e, 'gen–日本');
      encoding.writeVarString(e, 'write');
      encoding.writeVarUint(e, 70_000);
    });
    expect(decode(hello)).toEqual({ type: 'hello', generation: 'gen–日本', role: 'write', sequence: 70_000 });
    const refused = frame((e) => {
      encoding.writeVarUint(e, 102);
      encoding.writeVarUint(e, 4);
      encoding.writeVarString(e, 'read-only');
      encoding.writeVarString(e, 'The editor is frozen.');
    });
    expect(decode(refused)).toMatchObject({ ordinal: 4, reason: 'read-only', sentence: 'The editor is frozen.' });
    expect(decode(bytes(101, 3, 9))).toEqual({ type: 'acknowledged', settled: 3, sequence: 9 });
  });

  it('takes an unknown role as reading only', () => {
    const access = frame((e) => {
      encoding.writeVarUint(e, 103);
      encoding.writeVarString(e, 'owner');
    });
    expect(decode(access)).toEqual({ type: 'access', role: 'read' });
  });

  it('passes over what a newer server may say', () => {
    expect(decode(bytes(120, 1, 2))).toBeNull();
    expect(decode(bytes(0, 9, 0))).toBeNull();
  });

  it('refuses a frame that is cut short', () => {
    expect(() => decode(bytes(0, 2, 40, 1))).toThrow();
    expect(() => decode(bytes())).toThrow();
  });
});
