import { createSubscriber } from 'svelte/reactivity';

/** The time of day, to the second; ticks only while something on the page reads it. */
export class SecondHand {
  readonly #subscribe = createSubscriber((update) => {
    const timer = setInterval(update, 1000);
    return () => clearInterval(timer);
  });

  get now(): number {
    this.#subscribe();
    return Date.now();
  }
}

export function clockTime(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const two = (n: number) => String(n).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** What is left, in words that fit beside a clock. */
export function remaining(ms: number): string {
  const over = ms < 0;
  const minutes = over ? Math.floor(-ms / 60_000) : Math.ceil(ms / 60_000);
  return over ? `${minutes} min over` : `${minutes} min left`;
}
