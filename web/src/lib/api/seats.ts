/** A candidate's seat in one interview: kept for this tab only, so that closing it leaves no key behind. */
export interface Seat {
  token: string;
  participant_id: string;
  name: string;
}

const key = (interviewId: string) => `ocp.seat.${interviewId}`;

export function keepSeat(interviewId: string, seat: Seat): void {
  storage()?.setItem(key(interviewId), JSON.stringify(seat));
}

export function seatIn(interviewId: string): Seat | null {
  const text = storage()?.getItem(key(interviewId));
  if (!text) return null;
  try {
    const seat = JSON.parse(text) as Partial<Seat>;
    return typeof seat.token === 'string' ? { participant_id: '', name: '', ...seat, token: seat.token } : null;
  } catch {
    return null;
  }
}

export function giveUpSeat(interviewId: string): void {
  storage()?.removeItem(key(interviewId));
}

/** Browsers that forbid storage throw on touching it. */
function storage(): Storage | null {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null;
  }
}
