import { interviews, type Interview, type InterviewState } from '#lib/api/index.ts';
import { Paged } from '#lib/api/paged.svelte.ts';

export type StateFilter = 'all' | InterviewState;

/** My interviews: pages from the server, narrowed by state and by words here. */
export class InterviewCatalogue {
  state = $state<StateFilter>('all');
  words = $state('');
  // A small first page, which fills two screens; those that follow are bigger.
  readonly paged = new Paged<Interview>((cursor) => interviews.list({ limit: cursor ? 200 : 50, cursor }));

  readonly isNarrowed = $derived(this.state !== 'all' || this.words.trim() !== '');
  readonly shown = $derived.by(() => this.#narrow());

  /** Nothing is found only after everything was looked at. */
  readonly isSearching = $derived(this.isNarrowed && this.paged.hasMore && this.paged.status !== 'failed');

  #narrow(): readonly Interview[] {
    const words = this.words.toLowerCase().split(/\s+/).filter(Boolean);
    return this.paged.items.filter(
      (interview) =>
        (this.state === 'all' || interview.state === this.state) &&
        words.every((word) => haystack(interview).includes(word)),
    );
  }

  narrow(change: { state?: StateFilter; words?: string }): void {
    if (change.state !== undefined) this.state = change.state;
    if (change.words !== undefined) this.words = change.words;
    if (this.isNarrowed) void this.paged.rest();
  }

  clear(): void {
    this.narrow({ state: 'all', words: '' });
  }
}

function haystack(interview: Interview): string {
  return `${interview.title} ${interview.language} ${interview.code ?? ''}`.toLowerCase();
}
