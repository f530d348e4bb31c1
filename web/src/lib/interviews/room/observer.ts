import type { Signal } from '#lib/api/types.ts';

export const IDLE_AFTER_MS = 60_000;
const SEND_EVERY_MS = 2_000;
const MOST_AT_ONCE = 20;
const MOST_KEPT = 200;
/** Focus that goes and comes at once is the browser's own doing, such as a menu. */
const BLINK_MS = 300;

/**
 * Observes on the candidate's page exactly what the page says it does: pastes (size and place), leaving the tab, and
 * pauses. It never sees what was pasted or typed.
 */
export class Observer {
  readonly #send: (signals: Signal[]) => Promise<void>;
  #queue: Signal[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  #blink: ReturnType<typeof setTimeout> | undefined;
  #leftAt: number | null = null;
  #told = false;
  #activeAt = Date.now();
  #idle = false;
  #stop = new AbortController();

  constructor(send: (signals: Signal[]) => Promise<void>) {
    this.#send = send;
  }

  start(page: Document, view: Window): void {
    const options = { signal: this.#stop.signal, passive: true, capture: true };
    page.addEventListener('visibilitychange', () => (page.hidden ? this.left() : this.returned()), options);
    view.addEventListener('blur', () => this.left(), options);
    view.addEventListener('focus', () => this.returned(), options);
    for (const type of ['keydown', 'pointerdown', 'pointermove', 'wheel', 'touchstart']) {
      view.addEventListener(type, () => this.active(), options);
    }
    this.#awaitIdle();
  }

  stop(): void {
    this.#stop.abort();
    for (const timer of [this.#timer, this.#idleTimer, this.#blink]) clearTimeout(timer);
    this.#timer = undefined;
  }

  paste(paste: { size: number; language: string; line: number; column: number }): void {
    this.#tell({ kind: 'paste', ...paste });
  }

  left(): void {
    if (this.#leftAt !== null) return;
    this.#leftAt = Date.now();
    this.#blink = setTimeout(() => {
      this.#told = true;
      this.#tell({ kind: 'focus_lost' });
    }, BLINK_MS);
  }

  returned(): void {
    clearTimeout(this.#blink);
    if (this.#leftAt !== null && this.#told) {
      this.#tell({ kind: 'focus_returned', duration_ms: Date.now() - this.#leftAt });
    }
    this.#leftAt = null;
    this.#told = false;
    this.active();
  }

  active(): void {
    const now = Date.now();
    if (this.#idle) {
      this.#idle = false;
      this.#tell({ kind: 'active', duration_ms: now - this.#activeAt });
      this.#awaitIdle();
    }
    this.#activeAt = now;
  }

  #awaitIdle(): void {
    const left = this.#activeAt + IDLE_AFTER_MS - Date.now();
    this.#idleTimer = setTimeout(() => {
      if (Date.now() - this.#activeAt < IDLE_AFTER_MS) return this.#awaitIdle();
      this.#idle = true;
      this.#tell({ kind: 'idle', duration_ms: IDLE_AFTER_MS });
    }, Math.max(0, left));
  }

  #tell(signal: Signal): void {
    this.#queue = [...this.#queue, signal].slice(-MOST_KEPT);
    this.#timer ??= setTimeout(() => void this.#flush(), SEND_EVERY_MS);
  }

  async #flush(): Promise<void> {
    const batch = this.#queue.splice(0, MOST_AT_ONCE);
    try {
      await this.#send(batch);
    } catch {
      // Sent again with the next batch; the order stays as it was.
      this.#queue = [...batch, ...this.#queue].slice(0, MOST_KEPT);
    }
    this.#timer = undefined;
    if (this.#queue.length > 0 && !this.#stop.signal.aborted) {
      this.#timer = setTimeout(() => void this.#flush(), SEND_EVERY_MS);
    }
  }
}
