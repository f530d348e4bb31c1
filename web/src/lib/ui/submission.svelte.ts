import { asProblem, type ApiProblem } from '#lib/api/problem.ts';

/** Sending something: busy while it is under way, and the server's complaint when it comes back refused. */
export class Submission {
  busy = $state(false);
  problem = $state.raw<ApiProblem | null>(null);
  readonly #fields: readonly string[];

  /** `fields`: the names that have a place of their own in the form, where their complaints are shown. */
  constructor(...fields: string[]) {
    this.#fields = fields;
  }

  /** The complaint that no field shows. */
  get general(): ApiProblem | null {
    return this.problem?.concernsOnly(...this.#fields) ? null : this.problem;
  }

  error(field: string): string | undefined {
    return this.problem?.field(field);
  }

  /** Answers with `undefined` when it was refused, or when it is already under way. */
  async run<T>(action: () => Promise<T>): Promise<T | undefined> {
    if (this.busy) return undefined;
    this.busy = true;
    this.problem = null;
    try {
      return await action();
    } catch (error) {
      this.problem = asProblem(error);
      return undefined;
    } finally {
      this.busy = false;
    }
  }
}
