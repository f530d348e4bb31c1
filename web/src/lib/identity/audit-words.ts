/** `token.revoked` reads as "Token revoked", `sign_in.ok` as "Sign in ok": no list here can know every kind. */
export function auditWords(kind: string): string {
  const text = kind.replace(/[._-]+/g, ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}
