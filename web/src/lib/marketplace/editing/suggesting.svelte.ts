import { sources, type ListingSuggestion } from '#lib/api/sources.ts';
import { Submission } from '#lib/ui/submission.svelte.ts';

/** What a model suggests for a README. Nothing of it is in the form before somebody takes it. */
export class Suggesting {
  isOffered = $state(false);
  suggestion = $state.raw<ListingSuggestion | null>(null);
  readonly submission = new Submission();

  /** Where it cannot be told, there is nothing to press. */
  async load(): Promise<void> {
    try {
      this.isOffered = (await sources.suggests()).available;
    } catch {
      this.isOffered = false;
    }
  }

  ask(readme: string): Promise<unknown> {
    return this.submission.run(async () => {
      this.suggestion = await sources.suggest(readme);
    });
  }

  drop(): void {
    this.suggestion = null;
    this.submission.problem = null;
  }
}
