import type { EventStream } from '#lib/api/events.ts';
import type { InterviewApi } from '#lib/api/interviews.ts';
import type { InterviewEvent, Summary, SummaryPlace } from '#lib/api/types.ts';
import { Submission } from '#lib/ui/submission.svelte.ts';

/** The summary of an interview: drafted by a model while one reads along, corrected, accepted or discarded. */
export class SummaryDesk {
  place = $state.raw<SummaryPlace | null>(null);
  /** What the model has written so far. */
  written = $state('');
  /** What stands in the editor. */
  text = $state('');
  model = $state('');
  readonly submission = new Submission();

  readonly summary = $derived(this.place?.summary ?? null);
  readonly models = $derived(this.place?.models ?? []);
  readonly mayChange = $derived(this.place?.may_change ?? false);
  readonly isChanged = $derived(this.summary !== null && this.text !== this.summary.text);
  /** Nothing is shown where no model can be asked and none ever wrote. */
  readonly isHere = $derived(this.summary !== null || this.models.length > 0);

  readonly #api: InterviewApi;
  #stream: EventStream<InterviewEvent> | null = null;

  constructor(api: InterviewApi) {
    this.#api = api;
  }

  async load(): Promise<void> {
    this.place = await this.#api.summary();
    this.#show(this.place.summary);
  }

  /** Read what is there now in place of what was typed: somebody else may have changed it. */
  reload = (): Promise<void> | undefined => void this.submission.run(() => this.load());

  /** Back on this page: another tab or person may have done something meanwhile. What was typed here stays. */
  async look(): Promise<void> {
    if (!this.#mayLook()) return;
    try {
      const place = await this.#api.summary();
      if (!this.#mayLook()) return;
      this.place = place;
      this.#show(place.summary);
    } catch {
      // What is shown stays, and the next thing that is pressed tells.
    }
  }

  /** A draft; in place of the one that is there, if there is one. */
  draft = (): Promise<void | undefined> =>
    this.submission.run(async () => {
      const asked = await this.#api.draftSummary({
        ...(this.model ? { model: this.model } : {}),
        ...(this.summary ? { replaces: this.summary.id } : {}),
      });
      this.#show(asked);
    });

  /** Keep what was typed. */
  save = (): Promise<void | undefined> => this.submission.run(() => this.#save());

  accept = (): Promise<void | undefined> =>
    this.submission.run(async () => {
      await this.#save();
      if (!this.summary) return;
      const { id, revision } = this.summary;
      this.#show(await this.#api.acceptSummary({ id, revision }));
    });

  async discard(): Promise<void> {
    if (this.summary) await this.#api.discardSummary(this.summary.id);
    this.#show(null);
  }

  leave(): void {
    this.#stream?.stop();
    this.#stream = null;
  }

  reduce(event: InterviewEvent): void {
    if (event.type === 'summary.written' && event.summary_id === this.summary?.id) this.written += event.text;
    else if (event.type === 'summary.discarded' && event.summary_id === this.summary?.id) this.#show(null);
    else if ('summary' in event && event.summary.id === this.summary?.id && event.type !== 'summary.requested')
      this.#show(event.summary);
  }

  #mayLook(): boolean {
    return this.place !== null && !this.isChanged && !this.submission.busy && this.#stream === null;
  }

  async #save(): Promise<void> {
    const { summary, text } = this;
    if (!summary || summary.state !== 'draft' || text === summary.text) return;
    const saved = await this.#api.changeSummary({ id: summary.id, text, revision: summary.revision });
    this.#put(saved);
    // What was typed meanwhile stays; the server may have taken invisible characters out of the rest.
    if (this.text === text) this.text = saved.text;
  }

  #show(summary: Summary | null): void {
    this.#put(summary);
    this.text = summary?.text ?? '';
    this.leave();
    if (summary?.state === 'writing') this.#follow(summary);
  }

  #put(summary: Summary | null): void {
    if (this.place) this.place = { ...this.place, summary };
  }

  #follow(summary: Summary): void {
    this.written = '';
    this.#stream = this.#api.events({ after: summary.follows_seq, onEvent: (event) => this.reduce(event) });
    this.#stream.start();
  }
}
