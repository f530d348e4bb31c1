import { SvelteSet } from 'svelte/reactivity';
import { moderation, subjectPath, type ReportReason, type Subject } from '#lib/api/moderation.ts';
import { asProblem } from '#lib/api/problem.ts';
import { isReportedAlready } from './words.ts';

/** What this person has reported, as far as this page knows. Signing out loads a fresh page. */
class Reports {
  readonly #made = new SvelteSet<string>();

  has(subject: Subject): boolean {
    return this.#made.has(subjectPath(subject));
  }

  /** Throws `ApiProblem`. A report that waits already is noted as well, and thrown. */
  async file(subject: Subject, reason: ReportReason, text: string): Promise<void> {
    try {
      await moderation.report(subject, { reason, text: text.trim() });
    } catch (error) {
      if (isReportedAlready(asProblem(error))) this.#made.add(subjectPath(subject));
      throw error;
    }
    this.#made.add(subjectPath(subject));
  }
}

export const reports = new Reports();
