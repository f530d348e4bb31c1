/** The moment when nothing has happened for a while; it comes in the end, however much happens. */
export class Quiet {
  readonly reached: Promise<void>;
  #reach = () => {};
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly quietMs: number,
    patienceMs: number,
  ) {
    this.reached = new Promise((resolve) => {
      const limit = setTimeout(resolve, patienceMs);
      this.#reach = () => {
        clearTimeout(limit);
        resolve();
      };
    });
  }

  /** Something has happened: the while begins anew. */
  touch(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#reach, this.quietMs);
  }
}
