import type { KeyLimits, KeyLimitsBody } from '#lib/api/ai.ts';
import { ApiProblem } from '#lib/api/problem.ts';
import { NO_NUMBERS, NUMBER_PLACES, readNumbers, type LimitNumbers } from '../limits/numbers.ts';

/** The limits of a key as they stand in the form. */
export interface LimitFields extends LimitNumbers {
  /** Only those in `models` may be asked. */
  onlySome: boolean;
  models: readonly string[];
}

export const NO_LIMITS: LimitFields = { ...NO_NUMBERS, onlySome: false, models: [] };

/** Fields that have a place for complaints. */
export const PLACES = ['name', 'expires_in_days', ...NUMBER_PLACES, 'models'] as const;

const MOST_MODELS = 200; // as the server has it

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
  const { body, errors } = readNumbers(fields);
  if (fields.onlySome && fields.models.length > MOST_MODELS) {
    errors.push({ pointer: '/models', detail: `must be ${MOST_MODELS} at the most` });
  }
  if (errors.length > 0) throw new ApiProblem({ status: 400, title: 'Some fields need another look.', errors });
  return { ...body, models: fields.onlySome ? [...fields.models] : null };
}
