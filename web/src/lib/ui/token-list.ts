/** The list with what was typed; commas part words. What is there already, whatever its case, is not added again. */
export function withTokens(tokens: readonly string[], typed: string, tidy: (word: string) => string): string[] {
  const words = typed.split(',').map((word) => tidy(word.trim())).filter(Boolean);
  return words.reduce((all, word) => (holds(all, word) ? all : [...all, word]), [...tokens]);
}

/** What fits what is being typed, first what begins with it, without what is there already. */
export function suggested(known: readonly string[], tokens: readonly string[], typed: string, most: number): string[] {
  const start = typed.trim().toLowerCase();
  const open = known.filter((word) => !holds(tokens, word) && word.toLowerCase().includes(start));
  const first = open.filter((word) => word.toLowerCase().startsWith(start));
  return [...first, ...open.filter((word) => !first.includes(word))].slice(0, most);
}

const holds = (words: readonly string[], word: string) =>
  words.some((other) => other.toLowerCase() === word.toLowerCase());
