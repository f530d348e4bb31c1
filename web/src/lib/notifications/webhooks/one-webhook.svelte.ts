import { Paged } from '#lib/api/paged.svelte.ts';
import { asProblem, type ApiProblem } from '#lib/api/problem.ts';
import {
  notifications,
  type Delivery,
  type NewWebhook,
  type Webhook,
  type WebhookChange,
} from '#lib/api/notifications.ts';

/** How often, and how many times, it is looked whether a message that is about to leave has arrived. */
export const LOOK_AGAIN_MS = 1_000;
const LOOKS = 40;
/** Who waits longer than this for the next try does not wait in front of the page. */
const SOON_MS = 15_000;

/** A webhook of mine, and what was sent to it. */
export class OneWebhook {
  webhook = $state.raw<Webhook | null>(null);
  problem = $state.raw<ApiProblem | null>(null);
  /** After a rotation: shown once. */
  fresh = $state.raw<NewWebhook | null>(null);
  readonly deliveries: Paged<Delivery>;
  /** What the latest failed call says, newest first. */
  readonly lastFailure = $derived.by(() => this.deliveries.items.find(failed) ?? null);

  readonly #id: string;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #looks = 0;
  #closed = false;

  constructor(id: string) {
    this.#id = id;
    this.deliveries = new Paged((cursor) => notifications.deliveries(id, { cursor, limit: 20 }));
  }

  /** Answers with what ends it. */
  open(): () => void {
    void this.load();
    void this.deliveries.reload().then(() => this.#follow());
    return () => {
      this.#closed = true;
      clearTimeout(this.#timer);
    };
  }

  async load(): Promise<void> {
    this.problem = null;
    try {
      this.webhook = await notifications.webhook(this.#id);
    } catch (error) {
      this.problem = asProblem(error);
    }
  }

  async change(change: WebhookChange): Promise<void> {
    this.webhook = await notifications.changeWebhook(this.#id, change);
    // Switched off, what waited is settled.
    if (change.active === false) await this.#look();
  }

  async rotate(): Promise<void> {
    this.fresh = await notifications.rotateWebhook(this.#id);
  }

  putAway(): void {
    this.fresh = null;
  }

  async test(): Promise<void> {
    const sent = await notifications.testWebhook(this.#id);
    this.#take([sent]);
    this.#followAnew();
  }

  async replay(delivery: Delivery): Promise<void> {
    this.deliveries.replace(await notifications.replay(this.#id, delivery.id));
    this.#followAnew();
  }

  remove(): Promise<void> {
    return notifications.removeWebhook(this.#id);
  }

  #followAnew(): void {
    this.#looks = 0;
    this.#follow();
  }

  #follow(): void {
    clearTimeout(this.#timer);
    if (this.#closed || this.#looks >= LOOKS || !this.deliveries.items.some(leavesSoon)) return;
    this.#looks += 1;
    this.#timer = setTimeout(() => void this.#look().then(() => this.#follow()), LOOK_AGAIN_MS);
  }

  async #look(): Promise<void> {
    try {
      this.#take((await notifications.deliveries(this.#id, { limit: 20 })).items);
      // Failures count, and too many of them switch it off.
      this.webhook = await notifications.webhook(this.#id);
    } catch {
      // Looked for again in a moment, or when the page is opened again.
    }
  }

  #take(newest: readonly Delivery[]): void {
    for (const delivery of [...newest].reverse()) {
      if (this.deliveries.items.some(({ id }) => id === delivery.id)) this.deliveries.replace(delivery);
      else this.deliveries.prepend(delivery);
    }
  }
}

const failed = ({ status, attempted_at }: Delivery): boolean => status !== 'delivered' && attempted_at !== null;

function leavesSoon({ status, next_attempt_at }: Delivery): boolean {
  return status === 'waiting' && (next_attempt_at === null || Date.parse(next_attempt_at) - Date.now() < SOON_MS);
}
