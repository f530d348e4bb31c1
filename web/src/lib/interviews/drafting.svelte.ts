import { ai } from '#lib/api/ai.ts';
import { interviews, type Interview, type InterviewDraft, type Language } from '#lib/api/index.ts';
import { randomKey } from '#lib/api/keys.ts';
import type { AssistantMode } from '#lib/api/types.ts';
import { Submission } from '#lib/ui/submission.svelte.ts';

export const DURATIONS = ['30', '45', '60', '90', '120', '240'] as const;
export type Duration = (typeof DURATIONS)[number];

/** A new interview, before it exists. */
export class Drafting {
  title = $state('');
  language = $state('python');
  duration = $state<Duration>('60');
  assistant = $state<AssistantMode>('forbidden');
  /** Empty: the one that the server would choose. */
  model = $state('');
  models = $state.raw<readonly string[]>([]);
  languages = $state.raw<readonly Language[] | null>(null);
  readonly submission = new Submission('title', 'language', 'duration_minutes', 'assistant/model');

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

  /** Without a model, or without leave to use one, there is no assistant to ask about. */
  async loadModels(): Promise<void> {
    try {
      this.models = (await ai.models({ limit: 200 })).items.map(({ name }) => name);
    } catch {
      this.models = [];
    }
  }

  create(): Promise<Interview> {
    const draft: InterviewDraft = {
      title: this.title.trim() || 'Coding interview',
      language: this.language,
      duration_minutes: Number(this.duration),
      ...(this.assistant === 'forbidden' ? {} : { assistant: { mode: this.assistant, model: this.model } }),
    };
    return interviews.create(draft, this.#keyFor(draft));
  }

  #keyFor(draft: InterviewDraft): string {
    const wish = JSON.stringify(draft);
    if (this.#sent.wish !== wish) this.#sent = { wish, key: randomKey() };
    return this.#sent.key;
  }
}
