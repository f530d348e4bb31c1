import type { ApiProblem } from '#lib/api/problem.ts';
import { asProblem } from '#lib/api/problem.ts';
import type { Judge, Outcome, TestCase } from './judge.ts';

/** One way through all tests, one after the other. */
export class TestRound {
  outcomes = $state.raw<ReadonlyMap<string, Outcome>>(new Map());
  /** The test that is tried now. */
  current = $state<string | null>(null);
  problem = $state.raw<ApiProblem | null>(null);
  readonly running = $derived(this.current !== null);
  readonly passed = $derived([...this.outcomes.values()].filter(({ passed }) => passed).length);
  readonly failed = $derived(this.outcomes.size - this.passed);

  readonly #judge: Judge;
  #stopped = false;

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  async run(tests: readonly TestCase[], { stopAtFirst = false } = {}): Promise<void> {
    if (this.running) return;
    this.outcomes = new Map();
    this.problem = null;
    this.#stopped = false;
    try {
      for (const test of tests) {
        this.current = test.id;
        const outcome = await this.#judge.judge(test);
        this.outcomes = new Map([...this.outcomes, [test.id, outcome]]);
        if (this.#stopped || (stopAtFirst && !outcome.passed)) break;
      }
    } catch (error) {
      this.problem = asProblem(error);
    } finally {
      this.current = null;
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#judge.stop();
  }

  /** A test that was changed says nothing any more. */
  forget(id: string): void {
    if (!this.outcomes.has(id)) return;
    this.outcomes = new Map([...this.outcomes].filter(([known]) => known !== id));
  }

  /** Such as "2 of 3 passed". */
  summary(total: number): string | null {
    if (this.running) return `Running test ${this.outcomes.size + 1} of ${total}`;
    if (this.outcomes.size === 0) return null;
    const left = total - this.outcomes.size;
    return `${this.passed} of ${total} passed${left > 0 ? `, ${left} not run` : ''}`;
  }
}
