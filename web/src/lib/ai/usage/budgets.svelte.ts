import { ai, type AiBudget } from '#lib/api/ai.ts';
import { asProblem, type ApiProblem } from '#lib/api/problem.ts';
import { shortId } from '#lib/identity/roster.svelte.ts';

/** As many as one answer has. */
const MOST = 200;

/** Budgets, the one that is nearest to its end first. */
export class BudgetList {
  items = $state.raw<readonly AiBudget[]>([]);
  status = $state<'loading' | 'ready' | 'failed'>('loading');
  problem = $state.raw<ApiProblem | null>(null);
  #round = 0;

  async load(everybody: boolean): Promise<void> {
    const round = (this.#round += 1);
    this.status = 'loading';
    this.problem = null;
    try {
      const { items } = await ai.budgets({ everybody, limit: MOST });
      if (round !== this.#round) return;
      this.items = items.toSorted((one, other) => takenOf(other) - takenOf(one));
      this.status = 'ready';
    } catch (error) {
      if (round !== this.#round) return;
      this.problem = asProblem(error);
      this.status = 'failed';
    }
  }
}

/** How much of it is spent: 0 to 1, or more. */
function takenOf({ spent_usd, amount_usd }: AiBudget): number {
  const amount = Number(amount_usd);
  return amount > 0 ? Number(spent_usd) / amount : 1;
}

/** "You", "Team red", "Key Calendar script"; other people by their names. */
export function nameOfBudget({ kind, subject, label }: AiBudget, everybody: boolean): string {
  if (kind === 'team') return `Team ${subject}`;
  const name = label ?? shortId(subject);
  if (kind === 'key') return `Key ${name}`;
  return everybody ? name : 'You';
}
