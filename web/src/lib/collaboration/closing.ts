/** What a closed socket or a refused ticket means for the person, and whether coming back makes sense. */
export type StopReason = 'removed' | 'not-admitted' | 'not-found' | 'ended' | 'incompatible';
export type Closing = { kind: 'retry' } | { kind: 'renew' } | { kind: 'stop'; reason: StopReason };

const STOPPING: Record<number, StopReason> = {
  1003: 'incompatible',
  1008: 'incompatible',
  1009: 'incompatible',
  4401: 'removed',
  4403: 'not-admitted',
  4404: 'not-found',
  4410: 'ended'
};
const OTHER_GENERATION = 4409;

export function readCloseCode(code: number): Closing {
  if (code === OTHER_GENERATION) return { kind: 'renew' };
  const reason = STOPPING[code];
  return reason ? { kind: 'stop', reason } : { kind: 'retry' };
}

const TICKET_REFUSALS: Record<number, StopReason> = {
  401: 'removed',
  403: 'not-admitted',
  404: 'not-found',
  409: 'ended',
  410: 'ended'
};

/** A ticket that the server will not give for a reason that waiting does not change. */
export function readTicketStatus(status: number | undefined): Closing {
  const reason = status === undefined ? undefined : TICKET_REFUSALS[status];
  return reason ? { kind: 'stop', reason } : { kind: 'retry' };
}
