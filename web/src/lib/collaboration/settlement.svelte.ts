/** Longer than this without the server's word that an edit is kept, and the person is told. */
export const ALARM_AFTER_MS = 3_000;
const NOT_SENT = Number.POSITIVE_INFINITY;

/**
 * Which local edits the server has settled.
 *
 * Every update frame of a connection has an ordinal from 1; the server acknowledges "all up to n". An edit that was
 * made without a connection waits under the ordinal "not sent" until the handshake carries it.
 */
export class Settlement {
  unsaved = $state(false);
  /** An edit has been unsaved for longer than is normal. */
  late = $state(false);
  /** Milliseconds from sending the last settled edit to its acknowledgement. */
  roundTripMs = $state<number | null>(null);

  #sent = 0;
  #waiting: { ordinal: number; editedAt: number; sentAt: number }[] = [];
  #alarm: ReturnType<typeof setTimeout> | undefined;

  /** A local edit that goes out with the next handshake. */
  hold(): void {
    const last = this.#waiting.at(-1);
    if (last?.ordinal !== NOT_SENT) this.#waiting.push({ ordinal: NOT_SENT, editedAt: Date.now(), sentAt: 0 });
    this.#refresh();
  }

  /** A local edit went out as a frame of its own. */
  sent(): void {
    const now = Date.now();
    this.#sent += 1;
    this.#waiting.push({ ordinal: this.#sent, editedAt: now, sentAt: now });
    this.#refresh();
  }

  /** The handshake's step 2 went out: it carries everything that was held, and counts even when empty. */
  uploaded(): void {
    this.#sent += 1;
    const oldest = this.#waiting[0];
    if (oldest) this.#waiting = [{ ordinal: this.#sent, editedAt: oldest.editedAt, sentAt: Date.now() }];
    this.#refresh();
  }

  settle(upTo: number): void {
    while (this.#waiting[0] && this.#waiting[0].ordinal <= upTo) {
      this.roundTripMs = Date.now() - this.#waiting[0].sentAt;
      this.#waiting.shift();
    }
    this.#refresh();
  }

  /** The connection is gone: what was not settled is to be sent again, and ordinals start anew. */
  lost(): void {
    this.#sent = 0;
    const oldest = this.#waiting[0];
    if (oldest) this.#waiting = [{ ...oldest, ordinal: NOT_SENT }];
    this.#refresh();
  }

  clear(): void {
    this.#sent = 0;
    this.#waiting = [];
    this.#refresh();
  }

  #refresh(): void {
    const oldest = this.#waiting[0];
    this.unsaved = oldest !== undefined;
    clearTimeout(this.#alarm);
    const left = oldest ? oldest.editedAt + ALARM_AFTER_MS - Date.now() : null;
    this.late = left !== null && left <= 0;
    if (left !== null && left > 0) this.#alarm = setTimeout(() => (this.late = true), left);
  }
}
