import type { AiModel, BudgetPeriod, HealthState, ModelPrice } from '#lib/api/ai.ts';
import type { Kept, Usage } from '#lib/api/completions.ts';

export const STATE_WORDS: Record<HealthState, string> = {
  unknown: 'Not tested yet',
  healthy: 'Healthy',
  failing: 'Failing',
};
export const STATE_TONES = { unknown: 'neutral', healthy: 'good', failing: 'bad' } as const;

export const CAPABILITY_WORDS: Record<NonNullable<AiModel['capabilities']>[number], string> = {
  chat: 'Chat',
  embeddings: 'Embeddings',
  reasoning: 'Reasoning',
  structured_output: 'JSON',
  tools: 'Tools',
  vision: 'Vision',
};

export function capabilityWords({ capabilities }: AiModel): string[] {
  return (capabilities ?? []).map((each) => CAPABILITY_WORDS[each]);
}

export const DIALECT_WORDS = { openai: 'OpenAI', anthropic: 'Anthropic', ollama: 'Ollama' } as const;

export const PERIOD_WORDS: Record<BudgetPeriod, string> = { day: 'a day', week: 'a week', month: 'a month' };

/** What a test of a connection said, which begins in the middle of a sentence. */
export function sentence(text: string): string {
  const words = text.charAt(0).toUpperCase() + text.slice(1);
  return words === '' || /[.?!]$/.test(words) ? words : `${words}.`;
}

/** What is not known of a model is given the chance. */
export function canChat({ capabilities }: AiModel): boolean {
  return capabilities === null || capabilities.includes('chat');
}

const dollars = new Intl.NumberFormat('en', { style: 'currency', currency: 'USD', maximumFractionDigits: 4 });
const cents = new Intl.NumberFormat('en', { style: 'currency', currency: 'USD', maximumSignificantDigits: 2 });
const whole = new Intl.NumberFormat('en');

/** "$0.15", "$0.0375": as many places as the price has, two at least. */
export function usd(amount: number): string {
  return dollars.format(amount);
}

/** What a call cost: "$0.0012", "$1.25". */
export function cost(price: ModelPrice, { input, output }: Usage): string {
  const amount = (price.input_usd * input + price.output_usd * output) / 1_000_000;
  return amount > 0 && amount < 0.01 ? cents.format(amount) : dollars.format(amount);
}

/** Where an answer comes from that was not made for this question, and so cost nothing. */
export function keptWords({ similarity }: Kept): string {
  if (similarity === null) return 'From the cache: the same was asked before, so the answer cost nothing';
  // Rounded down: what is merely like it is never called the same.
  const percent = Math.floor(similarity * 100);
  return `From the cache: the answer to a question like it (${percent} % alike), which cost nothing`;
}

const toTheCent = new Intl.NumberFormat('en', { style: 'currency', currency: 'USD' });

/** What was spent: "$12.50", and below a cent "$0.0034", never nothing for something. */
export function money(amount: number): string {
  return amount > 0 && amount < 0.01 ? cents.format(amount) : toTheCent.format(amount);
}

/** "1 call", "1,204 calls". */
export function many(count: number, one: string): string {
  return `${whole.format(count)} ${one}${count === 1 ? '' : 's'}`;
}

const inUtc = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });

/** "12 Nov", of a day as the server counts them. */
export function utcDay(day: string): string {
  return inUtc.format(new Date(day));
}

/** "8,192" is "8k", "131,072" is "131k", "1,048,576" is "1M": as people call windows. */
export function tokens(count: number): string {
  if (count >= 1_000_000) return `${Number((count / 1_000_000).toFixed(1))}M`;
  return count >= 1_000 ? `${Math.round(count / 1_000)}k` : String(count);
}

export function exactly(count: number): string {
  return whole.format(count);
}
