const FIRST_MS = 100;
const LONGEST_MS = 5_000;

/**
 * How long to wait before attempt number `attempt` (counted from 0).
 * Half of it is chance, so that a room full of people does not come back in one stroke.
 */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  return ceiling / 2 + (random() * ceiling) / 2;
}
