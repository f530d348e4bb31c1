/**
 * The document protocol as functions over bytes; it has never heard of a socket. See docs/protocol.md.
 */
import * as decoding from 'lib0/decoding';
import * as encoding from 'lib0/encoding';

export type Role = 'write' | 'read';
export type RefusalReason = 'read-only' | 'malformed' | 'too-large' | 'document-full';

export type ServerMessage =
  | { type: 'step-1'; stateVector: Uint8Array }
  | { type: 'step-2'; update: Uint8Array }
  | { type: 'update'; update: Uint8Array }
  | { type: 'awareness'; update: Uint8Array }
  | { type: 'query-awareness' }
  | { type: 'hello'; generation: string; role: Role; sequence: number }
  | { type: 'acknowledged'; settled: number; sequence: number }
  | { type: 'refused'; ordinal: number; reason: string; sentence: string }
  | { type: 'access'; role: Role };

/** The server closes with 1009 above this, so a larger frame is never sent. */
export const MAX_FRAME_BYTES = 256 * 1024;

const SYNC = 0;
const AWARENESS = 1;
const QUERY_AWARENESS = 3;
const HELLO = 100;
const ACKNOWLEDGED = 101;
const REFUSED = 102;
const ACCESS = 103;
const STEP_1 = 0;
const STEP_2 = 1;
const UPDATE = 2;

/**
 * Read one frame.
 *
 * @returns the message, or `null` for a type that a newer server may send and that we do not know.
 * @throws when a known frame is cut short.
 */
export function decode(frame: Uint8Array): ServerMessage | null {
  const decoder = decoding.createDecoder(frame);
  switch (decoding.readVarUint(decoder)) {
    case SYNC:
      return decodeSync(decoder);
    case AWARENESS:
      return { type: 'awareness', update: decoding.readVarUint8Array(decoder) };
    case QUERY_AWARENESS:
      return { type: 'query-awareness' };
    case HELLO:
      return {
        type: 'hello',
        generation: decoding.readVarString(decoder),
        role: readRole(decoder),
        sequence: decoding.readVarUint(decoder)
      };
    case ACKNOWLEDGED:
      return {
        type: 'acknowledged',
        settled: decoding.readVarUint(decoder),
        sequence: decoding.readVarUint(decoder)
      };
    case REFUSED:
      return {
        type: 'refused',
        ordinal: decoding.readVarUint(decoder),
        reason: decoding.readVarString(decoder),
        sentence: decoding.readVarString(decoder)
      };
    case ACCESS:
      return { type: 'access', role: readRole(decoder) };
    default:
      return null;
  }
}

function decodeSync(decoder: decoding.Decoder): ServerMessage | null {
  const step = decoding.readVarUint(decoder);
  const payload = decoding.readVarUint8Array(decoder);
  if (step === STEP_1) return { type: 'step-1', stateVector: payload };
  if (step === STEP_2) return { type: 'step-2', update: payload };
  return step === UPDATE ? { type: 'update', update: payload } : null;
}

/** Anything but an explicit right to write is reading. */
function readRole(decoder: decoding.Decoder): Role {
  return decoding.readVarString(decoder) === 'write' ? 'write' : 'read';
}

export const encodeStep1 = (stateVector: Uint8Array) => encodeSync(STEP_1, stateVector);
export const encodeStep2 = (update: Uint8Array) => encodeSync(STEP_2, update);
export const encodeUpdate = (update: Uint8Array) => encodeSync(UPDATE, update);

function encodeSync(step: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, SYNC);
    encoding.writeVarUint(encoder, step);
    encoding.writeVarUint8Array(encoder, payload);
  }) as Uint8Array<ArrayBuffer>;
}

export function encodeAwareness(update: Uint8Array): Uint8Array<ArrayBuffer> {
  return encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, AWARENESS);
    encoding.writeVarUint8Array(encoder, update);
  }) as Uint8Array<ArrayBuffer>;
}
