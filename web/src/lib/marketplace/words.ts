import { asProblem, type Price, type ProjectStatus } from '#lib/api/index.ts';

const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat('en');

export const STATUS_WORDS: Record<ProjectStatus, string> = {
  draft: 'Draft',
  published: 'Published',
  archived: 'Archived',
  quarantined: 'Quarantined',
  removed: 'Removed',
};
export const STATUS_TONES = {
  draft: 'warn',
  published: 'good',
  archived: 'neutral',
  quarantined: 'bad',
  removed: 'bad',
} as const;

export const SORTS = [
  { value: 'relevance', label: 'Best match' },
  { value: 'popularity', label: 'Most popular' },
  { value: 'trending', label: 'Trending' },
  { value: 'recent', label: 'Recently changed' },
  { value: 'name', label: 'Name' },
] as const;
export type Sort = (typeof SORTS)[number]['value'];

/** "12.4K": as much of a number as a glance takes in. */
export const brief = (count: number): string => short.format(count);

/** "12,431". */
export const exactly = (count: number): string => whole.format(count);

/** "1 project", "12,431 projects". */
export function many(count: number, one: string, more = `${one}s`): string {
  return `${exactly(count)} ${count === 1 ? one : more}`;
}

/** Why something did not happen, and what to do: for a line of news. */
export function refusal(error: unknown): string {
  const { title, detail, action } = asProblem(error);
  return [title.replace(/\.$/, ''), detail, action].map((part) => part?.replace(/\.$/, '')).filter(Boolean).join('. ') + '.';
}

/** How many digits of a currency are behind the point: 2 for EUR, 0 for JPY. */
export function decimalsOf(currency: string): number {
  try {
    return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
  } catch {
    // Not three letters: nothing that could be a currency.
    return 2;
  }
}

/** "Free", "€9.00". */
export function priceWords(price: Price | null): string {
  if (!price) return 'Free';
  const { currency, amount_minor: minor } = price;
  return new Intl.NumberFormat('en', { style: 'currency', currency }).format(minor / 10 ** decimalsOf(currency));
}

/** Minor units of what was typed as "9", "9.5" or "9,50"; null when it is no amount of that currency. */
export function minorUnits(typed: string, currency: string): number | null {
  const match = /^(\d{1,9})(?:[.,](\d+))?$/.exec(typed.trim());
  if (!match) return null;
  const decimals = decimalsOf(currency);
  const fraction = match[2] ?? '';
  if (fraction.length > decimals) return null;
  return Number(`${match[1]}${fraction.padEnd(decimals, '0')}`);
}

/** What `minorUnits` reads back: "9.50". */
export function typedAmount(price: Price): string {
  const decimals = decimalsOf(price.currency);
  return (price.amount_minor / 10 ** decimals).toFixed(decimals);
}
