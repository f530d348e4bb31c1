/**
 * What is wrong with a field, as a sentence. The server says it as a predicate ("is required", "must have 10 to 128
 * characters"), which goes with the label that the person sees; sentences are left as they are.
 */
export function complaint(label: string, detail: string | undefined): string | undefined {
  if (!detail) return undefined;
  const isSentence = detail.charAt(0) !== detail.charAt(0).toLowerCase();
  const words = isSentence ? detail : detail.startsWith('is not ') ? `This ${detail}` : `${label} ${detail}`;
  return /[.?!]$/.test(words) ? words : `${words}.`;
}
