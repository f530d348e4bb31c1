import { interviews, type Interview, type InterviewDraft, type Language } from '#lib/api/index.ts';
import { randomKey } from '#lib/api/keys.ts';
import { Submission } from '#lib/ui/submission.svelte.ts';

export const DURATIONS = ['30', '45', '60', '90', '120', '240'] as const;
export type Duration = (typeof DURATIONS)[number];

/** A new interview, before it exists. */
export class Drafting {
  title = $state('');
  language = $state('python');
  duration = $state<Duration>('60');
  languages = $state.raw<readonly Language[] | null>(null);
  readonly submission = new Submission('title', 'language', 'duration_minutes');

  // One key for one wish: pressing the button again after a lost answer makes no second interview.
  #sent = { wish: '', key: '' };

  readonly languageOptions = $derived(
    (this.languages ?? []).map(({ id, name, version, available }) => ({
      value: id,
      label: name,
      hint: available ? (version ?? undefined) : 'write only',
    })),
  );

  /** Why the chosen language cannot be run here; it can still be written. */
  readonly caution = $derived.by(() => {
    const chosen = this.languages?.find(({ id }) => id === this.language);
    return chosen && !chosen.available ? (chosen.reason ?? 'Programs in this language cannot be run here.') : undefined;
  });

  /** Without the list the form still works, with the language that every server has. */
  async loadLanguages(): Promise<void> {
    try {
      const { items } = await interviews.languages();
      this.languages = [...items].sort((a, b) => Number(b.available) - Number(a.available));
      if (!items.some(({ id }) => id === this.language) && items[0]) this.language = items[0].id;
    } catch {
      this.languages = [];
    }
  }

  create(): Promise<Interview> {
    const draft: InterviewDraft = {
      title: this.title.trim() || 'Coding interview',
      language: this.language,
      duration_minutes: Number(this.duration),
    };
    return interviews.create(draft, this.#keyFor(draft));
  }

  #keyFor(draft: InterviewDraft): string {
    const wish = JSON.stringify(draft);
    if (this.#sent.wish !== wish) this.#sent = { wish, key: randomKey() };
    return this.#sent.key;
  }
}
