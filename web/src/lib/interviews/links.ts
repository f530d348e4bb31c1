import { resolve } from '$app/paths';

/** The address to send to a candidate. */
export function joinLink(code: string): string {
  return new URL(resolve(`join/${code}`), location.origin).href;
}
