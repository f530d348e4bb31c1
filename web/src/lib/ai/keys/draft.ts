import type { BudgetPeriod, KeyLimits, KeyLimitsBody } from '#lib/api/ai.ts';
import { ApiProblem, type FieldError } from '#lib/api/problem.ts';

/** The limits of a key as they stand in the form; numbers are text until they are sent, and empty for no limit. */
export interface LimitFields {
  requests_per_minute: string;
  tokens_per_minute: string;
  concurrency: string;
  /** US dollars. */
  budget: string;
  period: BudgetPeriod;
  /** Only those in `models` may be asked. */
  onlySome: boolean;
  models: readonly string[];
}

export const NO_LIMITS: LimitFields = {
  requests_per_minute: '',
  tokens_per_minute: '',
  concurrency: '',
  budget: '',
  period: 'month',
  onlySome: false,
  models: [],
};

/** Fields that have a place for complaints; `budget` has those of its amount and period. */
export const PLACES = ['name', 'expires_in_days', 'requests_per_minute', 'tokens_per_minute', 'concurrency', 'budget', 'models'] as const;

// As the server has them.
const MOST_COUNTED = 1_000_000_000;
const MOST_CALLS = 100_000;
const MOST_USD = 1_000_000;
const MOST_MODELS = 200;

export function fieldsOf(limits: KeyLimits | null): LimitFields {
  if (!limits) return { ...NO_LIMITS };
  return {
    requests_per_minute: String(limits.requests_per_minute ?? ''),
    tokens_per_minute: String(limits.tokens_per_minute ?? ''),
    concurrency: String(limits.concurrency ?? ''),
    budget: limits.budget?.amount_usd ?? '',
    period: limits.budget?.period ?? 'month',
    onlySome: limits.models !== null,
    models: limits.models ?? [],
  };
}

/** Does it limit anything at all? */
export function limitsSomething(body: KeyLimitsBody): boolean {
  return Object.values(body).some((value) => value !== null);
}

/**
 * What is sent. Wrong limits are found before a key is made, so that none is there without those it was to have.
 *
 * Throws `ApiProblem` with what is wrong at which field.
 */
export function bodyOf(fields: LimitFields): KeyLimitsBody {
  const errors: FieldError[] = [];
  const number = (field: (typeof PLACES)[number], text: string, least: number, most: number, whole: boolean) => {
    const trimmed = text.trim();
    if (trimmed === '') return null;
    const form = whole ? /^\d+$/ : /^\d*\.?\d+$/;
    const value = Number(trimmed);
    if (!form.test(trimmed)) {
      errors.push({ pointer: `/${field}`, detail: whole ? 'must be a whole number' : 'must be a number, such as 12.50' });
    } else if (value < least || value > most) {
      errors.push({ pointer: `/${field}`, detail: `must be from ${least} to ${most.toLocaleString('en')}` });
    }
    return value;
  };
  const amount = number('budget', fields.budget, 0, MOST_USD, false);
  if (fields.onlySome && fields.models.length > MOST_MODELS) {
    errors.push({ pointer: '/models', detail: `must be ${MOST_MODELS} at the most` });
  }
  const body: KeyLimitsBody = {
    requests_per_minute: number('requests_per_minute', fields.requests_per_minute, 0, MOST_COUNTED, true),
    tokens_per_minute: number('tokens_per_minute', fields.tokens_per_minute, 0, MOST_COUNTED, true),
    concurrency: number('concurrency', fields.concurrency, 1, MOST_CALLS, true),
    budget: amount === null ? null : { amount_usd: amount, period: fields.period },
    models: fields.onlySome ? [...fields.models] : null,
  };
  if (errors.length > 0) throw new ApiProblem({ status: 400, title: 'Some fields need another look.', errors });
  return body;
}
