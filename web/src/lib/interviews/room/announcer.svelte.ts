import type { RemoteEdit } from '#lib/editor/remote-edits.ts';

const EDITS_AFTER_MS = 2_500;
const EDITS_EVERY_MS = 6_000;

/** Speaks to people who do not see the page: one polite sentence at a time, never a stream of them. */
export class Announcer {
  /** The content of the live region. */
  sentence = $state('');
  #edits = new Map<string, { from: number; to: number }>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #spokenAt = 0;

  say(sentence: string): void {
    // A live region is read again only when its text changes.
    this.sentence = sentence === this.sentence ? `${sentence}\u00a0` : sentence;
  }

  /** Gathers edits of the others and tells them as "Ada edited lines 3 to 5". */
  edited({ name, fromLine, toLine }: RemoteEdit): void {
    const who = name ?? 'Someone';
    const before = this.#edits.get(who);
    this.#edits.set(who, {
      from: Math.min(before?.from ?? fromLine, fromLine),
      to: Math.max(before?.to ?? toLine, toLine),
    });
    const wait = Math.max(EDITS_AFTER_MS, this.#spokenAt + EDITS_EVERY_MS - Date.now());
    this.#timer ??= setTimeout(() => this.#tellEdits(), wait);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#edits.clear();
  }

  #tellEdits(): void {
    this.#timer = undefined;
    this.#spokenAt = Date.now();
    const sentences = [...this.#edits].map(([who, { from, to }]) =>
      from === to ? `${who} edited line ${from}.` : `${who} edited lines ${from} to ${to}.`,
    );
    this.#edits.clear();
    this.say(sentences.join(' '));
  }
}
