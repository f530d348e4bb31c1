import { resolve } from '$app/paths';

/** The address that a candidate opens. */
export function inviteLink(code: string): string {
  return new URL(resolve('/join/[code]', { code }), globalThis.location.origin).href;
}

/** Six digits in two groups, as people read them out. */
export const readableCode = (code: string) => `${code.slice(0, 3)} ${code.slice(3)}`;
