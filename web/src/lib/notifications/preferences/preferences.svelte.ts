import { asProblem, type ApiProblem } from '#lib/api/problem.ts';
import { notifications, type NoticeChoice, type NoticeKind } from '#lib/api/notifications.ts';

type Choices = Record<string, NoticeChoice>;

/** What one is told, and where. Each change is saved as it is made; of those made meanwhile the last one counts. */
export class Preferences {
  status = $state<'loading' | 'ready' | 'failed'>('loading');
  choices = $state.raw<Choices>({});
  defaults = $state.raw<Choices>({});
  /** This server sends e-mail. */
  mails = $state(true);
  /** Why the page could not be had, or why the latest change is not saved. */
  problem = $state.raw<ApiProblem | null>(null);
  saved = $state(0);

  readonly areDefaults = $derived(Object.keys(this.choices).every((kind) => this.#isDefault(kind)));
  #saving = false;
  #changed = false;

  async load(): Promise<void> {
    this.status = 'loading';
    this.problem = null;
    try {
      const { kinds, defaults, mails } = await notifications.preferences();
      this.choices = kinds;
      this.defaults = defaults;
      this.mails = mails;
      this.status = 'ready';
    } catch (error) {
      this.problem = asProblem(error);
      this.status = 'failed';
    }
  }

  choose(kind: NoticeKind, change: Partial<NoticeChoice>): Promise<void> {
    this.choices = { ...this.choices, [kind]: { ...this.choices[kind]!, ...change } };
    return this.save();
  }

  restoreDefaults(): Promise<void> {
    this.choices = this.defaults;
    return this.save();
  }

  async save(): Promise<void> {
    this.#changed = true;
    if (this.#saving) return;
    this.#saving = true;
    this.problem = null;
    try {
      while (this.#changed) {
        this.#changed = false;
        // What is as the server would have it stays so when the server's mind changes.
        const own = Object.entries(this.choices).filter(([kind]) => !this.#isDefault(kind));
        await notifications.choose(Object.fromEntries(own));
      }
      this.saved += 1;
    } catch (error) {
      this.problem = asProblem(error);
    } finally {
      this.#saving = false;
    }
  }

  #isDefault(kind: string): boolean {
    const [choice, given] = [this.choices[kind], this.defaults[kind]];
    return choice?.inbox === given?.inbox && choice?.mail === given?.mail;
  }
}
