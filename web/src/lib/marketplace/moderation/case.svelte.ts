import { moderation, type Decision, type ModerationCase } from '#lib/api/moderation.ts';
import { asProblem, type ApiProblem } from '#lib/api/problem.ts';
import { conflictWords } from './words.ts';

/** One case, as a moderator reads and decides it. */
export class CaseVisit {
  found = $state.raw<ModerationCase | null>(null);
  problem = $state.raw<ApiProblem | null>(null);
  /** Why the last decision was not made, in words, when the case is another one by now. */
  conflict = $state<string | null>(null);
  #id = '';

  async load(id: string): Promise<void> {
    if (this.#id !== id) {
      this.found = null;
      this.conflict = null;
    }
    this.#id = id;
    this.problem = null;
    try {
      const found = await moderation.one(id);
      if (this.#id === id) this.found = found;
    } catch (error) {
      if (this.#id === id) this.problem = asProblem(error);
    }
  }

  /** Answers whether it was decided. Throws `ApiProblem` for what is not the doing of somebody else. */
  async decide(decision: Decision, reason: string): Promise<boolean> {
    const id = this.#id;
    this.conflict = null;
    try {
      const found = await moderation.decide(id, decision, reason.trim());
      if (this.#id === id) this.found = found;
      return true;
    } catch (error) {
      const words = conflictWords(asProblem(error));
      if (words === null) throw error;
      await this.load(id);
      this.conflict = words;
      return false;
    }
  }
}
