import { asProblem, orders, type ApiProblem, type LedgerTransaction, type Order } from '#lib/api/index.ts';
import { randomKey } from '#lib/api/keys.ts';

export type CaseStatus = 'loading' | 'ready' | 'failed';

/** One order, as somebody with a part in it looks at it and goes on with it. All changes throw `ApiProblem`. */
export class OrderCase {
  order = $state.raw<Order | null>(null);
  status = $state<CaseStatus>('loading');
  problem = $state.raw<ApiProblem | null>(null);
  /** Null while it is not here, and for the buyer, who has none. */
  ledger = $state.raw<readonly LedgerTransaction[] | null>(null);
  ledgerProblem = $state.raw<ApiProblem | null>(null);
  readonly restMinor = $derived(this.order?.paid_at ? this.order.amount_minor - this.order.refunded_minor - this.order.disputed_minor : 0);

  #id = '';
  /** Of the refund that was not answered yet, by its amount: asking again must not give back twice. */
  #wish: { amountMinor: number | null; key: string } | null = null;

  async load(id: string): Promise<void> {
    if (this.#id !== id) {
      this.order = null;
      this.ledger = null;
      this.#wish = null;
    }
    this.#id = id;
    this.status = 'loading';
    this.problem = null;
    try {
      this.#take(id, await orders.one(id));
    } catch (error) {
      if (this.#id !== id) return;
      this.problem = asProblem(error);
      this.status = 'failed';
    }
  }

  /** `reference`: by what the payment is found again. */
  async markPaid(reference: string): Promise<void> {
    const id = this.#id;
    this.#take(id, await orders.markPaid(id, reference.trim()));
  }

  async cancel(): Promise<void> {
    const id = this.#id;
    this.#take(id, await orders.cancel(id));
  }

  /** `amountMinor`: null for all that is left. */
  async refund(amountMinor: number | null): Promise<void> {
    const id = this.#id;
    const wish = this.#wish?.amountMinor === amountMinor ? this.#wish : { amountMinor, key: randomKey() };
    this.#wish = wish;
    const order = await orders.refund(id, amountMinor, wish.key);
    this.#wish = null;
    this.#take(id, order);
  }

  /** A page to pay at, for an order whose provider did not answer when it was made. Answers with its address. */
  async payment(): Promise<string | null> {
    const { order } = this;
    if (!order) return null;
    const again = await orders.place(order.project.slug, randomKey());
    if (again.id === order.id) this.#take(order.id, again);
    return again.checkout_url;
  }

  async loadLedger(): Promise<void> {
    const id = this.#id;
    this.ledgerProblem = null;
    try {
      const { transactions } = await orders.ledger(id);
      if (this.#id === id) this.ledger = transactions;
    } catch (error) {
      if (this.#id === id) this.ledgerProblem = asProblem(error);
    }
  }

  #take(id: string, order: Order): void {
    if (this.#id !== id) return;
    this.order = order;
    this.status = 'ready';
    if (order.side !== 'buyer') void this.loadLedger();
  }
}
