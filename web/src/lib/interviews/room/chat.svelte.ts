import type { InterviewApi } from '#lib/api/interviews.ts';
import type { Message } from '#lib/api/types.ts';

export class Chat {
  messages = $state.raw<readonly Message[]>([]);
  unread = $state(0);
  draft = $state('');
  #open = false;
  readonly #api: InterviewApi;

  constructor(api: InterviewApi) {
    this.#api = api;
  }

  /** Whether the person has the messages before their eyes. */
  look(open: boolean): void {
    this.#open = open;
    if (open) this.unread = 0;
  }

  load(messages: readonly Message[]): void {
    const known = new Set(messages.map(({ id }) => id));
    this.messages = [...messages, ...this.messages.filter(({ id }) => !known.has(id))];
  }

  /** Takes a message once, whether our own call or the stream tells of it first. */
  take(message: Message, own: boolean): void {
    if (this.messages.some(({ id }) => id === message.id)) return;
    this.messages = [...this.messages, message];
    if (!own && !this.#open) this.unread += 1;
  }

  async send(): Promise<void> {
    const text = this.draft.trim();
    if (text === '') return;
    this.draft = '';
    try {
      this.take(await this.#api.say(text), true);
    } catch (error) {
      this.draft = text;
      throw error;
    }
  }
}
