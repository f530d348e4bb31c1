import { interviews, type Interview, type Language } from '#lib/api/index.ts';
import { Submission } from '#lib/ui/submission.svelte.ts';

export const DURATIONS = ['30', '45', '60', '90', '120', 'none'] as const;
export type Duration = (typeof DURATIONS)[number];

/** A new interview, before it exists. */
export class Drafting {
  title = $state('');
  language = $state('python');
  duration = $state<Duration>('60');
  languages = $state.raw<readonly Language[] | null>(null);
  readonly submission = new Submission('title', 'language', 'duration_minutes');

  // One key for one form: pressing the button again after a lost answer makes no second interview.
  readonly #key = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;

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
    return interviews.create(
      {
        title: this.title.trim() || 'Coding interview',
        language: this.language,
        ...(this.duration === 'none' ? {} : { duration_minutes: Number(this.duration) }),
      },
      this.#key,
    );
  }
}
