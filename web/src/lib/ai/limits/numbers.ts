import type { BudgetPeriod, LimitsBody } from '#lib/api/ai.ts';
import type { FieldError } from '#lib/api/problem.ts';

/** Limits as they stand in a form; numbers are text until they are sent, and empty for none. */
export interface LimitNumbers {
  requests_per_minute: string;
  tokens_per_minute: string;
  concurrency: string;
  /** US dollars. */
  budget: string;
  period: BudgetPeriod;
}

export const NO_NUMBERS: LimitNumbers = {
  requests_per_minute: '',
  tokens_per_minute: '',
  concurrency: '',
  budget: '',
  period: 'month',
};

/** Fields that have a place for complaints; `budget` has those of its amount and period. */
export const NUMBER_PLACES = ['requests_per_minute', 'tokens_per_minute', 'concurrency', 'budget'] as const;
export type LimitName = (typeof NUMBER_PLACES)[number];

// As the server has them.
const MOST_COUNTED = 1_000_000_000;
const MOST_CALLS = 100_000;
const MOST_USD = 1_000_000;

/** What is sent, and what is wrong at which field. */
export function readNumbers(fields: LimitNumbers): { body: Required<LimitsBody>; errors: FieldError[] } {
  const errors: FieldError[] = [];
  const number = (field: LimitName, least: number, most: number, whole: boolean) => {
    const text = fields[field].trim();
    if (text === '') return null;
    const form = whole ? /^\d+$/ : /^\d*\.?\d+$/;
    const value = Number(text);
    if (!form.test(text)) {
      errors.push({ pointer: `/${field}`, detail: whole ? 'must be a whole number' : 'must be a number, such as 12.50' });
    } else if (value < least || value > most) {
      errors.push({ pointer: `/${field}`, detail: `must be from ${least} to ${most.toLocaleString('en')}` });
    }
    return value;
  };
  const amount = number('budget', 0, MOST_USD, false);
  const body = {
    requests_per_minute: number('requests_per_minute', 0, MOST_COUNTED, true),
    tokens_per_minute: number('tokens_per_minute', 0, MOST_COUNTED, true),
    concurrency: number('concurrency', 1, MOST_CALLS, true),
    budget: amount === null ? null : { amount_usd: amount, period: fields.period },
  };
  return { body, errors };
}
