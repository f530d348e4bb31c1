import type { Reason } from '#lib/api/index.ts';

const PARTS: Record<string, string> = { text: 'Words', popularity: 'popularity', trust: 'trust', name: 'its name' };
const number = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });

/** "Words 3.1 × popularity 1.94": the factors of a score. What is 1 makes no difference and is left out. */
export function reasonWords(why: readonly Reason[]): string {
  return why
    .filter(({ part, value }) => part === 'text' || value !== 1)
    .map(({ part, value }) => `${PARTS[part] ?? part} ${number.format(value)}`)
    .join(' × ');
}
