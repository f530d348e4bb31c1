import { ai, type AiLimits } from '#lib/api/ai.ts';
import { ApiProblem, asProblem } from '#lib/api/problem.ts';
import { Submission } from '#lib/ui/submission.svelte.ts';
import { placed } from '../placing.ts';
import { fixedOf, ownOf } from './limits.svelte.ts';
import { NO_NUMBERS, NUMBER_PLACES, readNumbers, type LimitNumbers } from './numbers.ts';

const PLACES = ['email', ...NUMBER_PLACES] as const;
/** Of limits that are not there yet. */
const NOT_SET = '0';

/** Limits in the form: of everybody, a team or a person that is in the list, or of somebody by their address. */
export class LimitEditing {
  email = $state('');
  limits = $state<LimitNumbers>({ ...NO_NUMBERS });
  /** What they are meanwhile, by somebody else's change. */
  meeting = $state.raw<AiLimits | null>(null);
  readonly submission = new Submission(...PLACES);
  #before = $state.raw<AiLimits | null>(null);
  /** The fields as they were when somebody began to write. */
  #start: LimitNumbers = { ...NO_NUMBERS };

  /** `view`: what they are; null for somebody by their address. */
  constructor(view: AiLimits | null) {
    this.#before = view;
    if (view) this.#start = numbersOf(view);
    this.limits = { ...this.#start };
  }

  get before(): AiLimits | null {
    return this.#before;
  }

  get isNew(): boolean {
    return this.#before === null;
  }

  /** Answers with null when somebody else was first: what they have set is to be looked at before. */
  async save(): Promise<AiLimits | null> {
    const whose = this.#before?.whose ?? `person:${this.email.trim()}`;
    try {
      return await ai.setLimits(whose, this.#body(), this.#before?.version ?? NOT_SET);
    } catch (error) {
      const problem = asProblem(error);
      if (problem.status === 412) return this.#meet(whose);
      throw problem.status === 404 && this.isNew
        ? new ApiProblem({ ...problem, errors: [{ pointer: '/email', detail: 'is of no account here' }] })
        : placed(problem, PLACES);
    }
  }

  /** What is not a file's; a field without a number is as for everybody. */
  #body() {
    const { body, errors } = readNumbers($state.snapshot(this.limits));
    const fixed = fixedOf(this.#before);
    const wrong = errors.filter(({ pointer }) => !(pointer.slice(1) in fixed));
    if (this.isNew && !this.email.includes('@')) wrong.push({ pointer: '/email', detail: 'must be the address of an account' });
    if (wrong.length > 0) throw new ApiProblem({ status: 400, title: 'Some fields need another look.', errors: wrong });
    return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, name in fixed ? null : value]));
  }

  /** What is typed stays; of the fields that were left alone, what somebody else has set is taken over. */
  async #meet(whose: string): Promise<null> {
    const now = await ai.limitsOf(whose);
    const theirs = numbersOf(now);
    const isMine = (name: keyof LimitNumbers) => this.limits[name] !== this.#start[name];
    const keepsBudget = isMine('budget') || isMine('period');
    this.limits = {
      requests_per_minute: (isMine('requests_per_minute') ? this.limits : theirs).requests_per_minute,
      tokens_per_minute: (isMine('tokens_per_minute') ? this.limits : theirs).tokens_per_minute,
      concurrency: (isMine('concurrency') ? this.limits : theirs).concurrency,
      budget: (keepsBudget ? this.limits : theirs).budget,
      period: (keepsBudget ? this.limits : theirs).period,
    };
    this.#start = theirs;
    this.#before = now;
    this.meeting = now;
    return null;
  }
}

/** What is set for them alone, a file's numbers among it: these are shown and not sent. */
function numbersOf(view: AiLimits): LimitNumbers {
  const fixed = fixedOf(view);
  const own = ownOf(view);
  const text = (name: 'requests_per_minute' | 'tokens_per_minute' | 'concurrency') =>
    String((fixed[name] ? view[name].value : own[name]) ?? '');
  const budget = fixed.budget ? view.budget.value : own.budget;
  return {
    requests_per_minute: text('requests_per_minute'),
    tokens_per_minute: text('tokens_per_minute'),
    concurrency: text('concurrency'),
    budget: String(budget?.amount_usd ?? ''),
    period: budget?.period ?? 'month',
  };
}
