import { asProblem } from '#lib/api/index.ts';

/** Something that each person has set or not, and how many have. */
export interface ToggleState {
  on: boolean;
  count: number;
}

/** Follows and marks: shown at once, told to the server, and as they were when it refuses. */
export class Toggle {
  state = $state.raw<ToggleState | null>(null);
  readonly #send: (wanted: boolean) => Promise<ToggleState>;
  #wish: boolean | null = null;

  constructor(send: (wanted: boolean) => Promise<ToggleState>, state: ToggleState | null = null) {
    this.#send = send;
    this.state = state;
  }

  /**
   * The other way round. Pressed again meanwhile, the last wish is what counts.
   *
   * Throws `ApiProblem` when it was refused.
   */
  async press(): Promise<void> {
    const before = this.state;
    if (!before) return;
    const wanted = !before.on;
    this.state = { on: wanted, count: Math.max(0, before.count + (wanted ? 1 : -1)) };
    const isUnderWay = this.#wish !== null;
    this.#wish = wanted;
    if (isUnderWay) return;
    try {
      await this.#sendUntilWished();
    } catch (error) {
      this.state = before;
      throw asProblem(error);
    } finally {
      this.#wish = null;
    }
  }

  async #sendUntilWished(): Promise<void> {
    let sent: boolean | null = null;
    while (sent !== this.#wish && this.#wish !== null) {
      sent = this.#wish;
      const told = await this.#send(sent);
      if (sent === this.#wish) this.state = told;
    }
  }
}
