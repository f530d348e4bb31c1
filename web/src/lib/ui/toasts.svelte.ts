export type Tone = 'neutral' | 'good' | 'warn' | 'bad';

export interface ToastAction {
  label: string;
  run: () => void;
}

export interface Toast {
  id: number;
  text: string;
  tone: Tone;
  action: ToastAction | null;
}

export interface ToastOptions {
  tone?: Tone;
  action?: ToastAction;
  /** How long it stays; 0 means until it is dismissed. */
  durationMs?: number;
  /** Called once when it is gone, for whatever reason; after the action, if that was chosen. */
  ended?: () => void;
}

const DURATION_MS = 6000;
const MOST_AT_ONCE = 3;

/** Short news about things that happened elsewhere, and the Undo of things done here. */
export class Toasts {
  list = $state.raw<readonly Toast[]>([]);
  #nextId = 1;
  readonly #timers = new Map<number, { left: number; since: number; timer: ReturnType<typeof setTimeout> }>();
  readonly #ends = new Map<number, () => void>();

  show(text: string, { tone = 'neutral', action, durationMs = DURATION_MS, ended }: ToastOptions = {}): number {
    const id = this.#nextId++;
    if (ended) this.#ends.set(id, ended);
    const kept = this.list.slice(-(MOST_AT_ONCE - 1));
    for (const gone of this.list.slice(0, -(MOST_AT_ONCE - 1))) this.#forget(gone.id);
    this.list = [...kept, { id, text, tone, action: action ?? null }];
    if (durationMs > 0) this.#count(id, durationMs);
    return id;
  }

  dismiss(id: number): void {
    this.#forget(id);
    this.list = this.list.filter((toast) => toast.id !== id);
  }

  /** While a person reads or reaches for the button, nothing disappears. */
  hold(): void {
    for (const [, entry] of this.#timers) {
      clearTimeout(entry.timer);
      entry.left -= Date.now() - entry.since;
    }
  }

  release(): void {
    for (const [id, { left }] of [...this.#timers]) this.#count(id, Math.max(left, 1000));
  }

  #count(id: number, ms: number): void {
    clearTimeout(this.#timers.get(id)?.timer);
    this.#timers.set(id, { left: ms, since: Date.now(), timer: setTimeout(() => this.dismiss(id), ms) });
  }

  #forget(id: number): void {
    clearTimeout(this.#timers.get(id)?.timer);
    this.#timers.delete(id);
    const ended = this.#ends.get(id);
    this.#ends.delete(id);
    ended?.();
  }
}

export const toasts = new Toasts();
