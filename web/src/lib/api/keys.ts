/** An Idempotency-Key. `crypto.randomUUID` is missing on plain http addresses. */
export function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(36)).join('');
}
