import { asProblem, orders, type ApiProblem, type Entitlement, type Order } from '#lib/api/index.ts';
import { randomKey } from '#lib/api/keys.ts';

export type BuyingStatus = 'loading' | 'ready' | 'failed';

/** What somebody has of one project, and getting it. */
export class Buying {
  order = $state.raw<Order | null>(null);
  entitlement = $state.raw<Entitlement | null>(null);
  status = $state<BuyingStatus>('loading');
  problem = $state.raw<ApiProblem | null>(null);
  #slug = '';
  /** Of the wish to buy that was not answered yet: asking again must not order twice. */
  #key: string | null = null;

  async load(slug: string): Promise<void> {
    if (this.#slug !== slug) this.#key = null;
    this.#slug = slug;
    this.status = 'loading';
    this.problem = null;
    try {
      const { order, entitlement } = await orders.purchase(slug);
      if (this.#slug !== slug) return;
      this.order = order;
      this.entitlement = entitlement;
      this.status = 'ready';
    } catch (error) {
      if (this.#slug !== slug) return;
      this.problem = asProblem(error);
      this.status = 'failed';
    }
  }

  /** Orders the project, or answers with the order that is open. Throws `ApiProblem`. */
  async buy(): Promise<Order> {
    this.#key ??= randomKey();
    const order = await orders.place(this.#slug, this.#key);
    this.#key = null;
    this.order = order;
    return order;
  }
}
