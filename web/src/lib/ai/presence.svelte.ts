import { ai } from '#lib/api/ai.ts';
import type { Session } from '#lib/identity/session.svelte.ts';

/** Whether AI has anything for who is signed in. Asked once for each of them, however many pages want to know. */
export class AiPresence {
  #has = $state(false);
  #of: string | null = null;

  /** Administrators see it always: a page of theirs tells how to begin. */
  shows(session: Session): boolean {
    return session.canUseAi && (session.canManageAi || this.#has);
  }

  async look(session: Session): Promise<void> {
    if (!session.user || session.user.id === this.#of || !session.canUseAi || session.canManageAi) return;
    this.#of = session.user.id;
    this.#has = false;
    try {
      this.#has = (await ai.models({ limit: 1 })).items.length > 0;
    } catch {
      // A link less, until the page is opened again.
    }
  }
}

export const aiPresence = new AiPresence();
