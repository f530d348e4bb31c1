import type { LedgerAccount, LedgerTransaction, Order, OrderState } from '#lib/api/index.ts';
import { moment } from '#lib/ui/when.ts';
import { priceWords } from '../words.ts';

export const STATE_WORDS: Record<OrderState, string> = {
  pending: 'Not paid yet',
  paid: 'Paid',
  refunded: 'Refunded',
  cancelled: 'Cancelled',
  expired: 'Expired',
};
export const STATE_TONES = {
  pending: 'warn',
  paid: 'good',
  refunded: 'neutral',
  cancelled: 'neutral',
  expired: 'neutral',
} as const;

export const ACCOUNT_WORDS: Record<LedgerAccount, string> = {
  provider_clearing: 'Received from the buyer',
  seller_payable: 'Earned by the seller',
  platform_fee: 'Fee of this server',
  refunds: 'Given back by the seller',
  disputed: 'Held while disputed',
  dispute_fees: 'Fees of disputes',
};
export const HAPPENING_WORDS: Record<LedgerTransaction['happening'], string> = {
  paid: 'Paid',
  refunded: 'Given back',
  refund_failed: 'Came back to the seller',
  disputed: 'Disputed',
  dispute_lost: 'Dispute lost',
  dispute_won: 'Dispute won',
  dispute_fee: 'Fee of a dispute',
};

const PROVIDER_WORDS: Record<string, string> = { manual: 'Invoice', stripe: 'Stripe' };
export const providerWords = (provider: string): string => PROVIDER_WORDS[provider] ?? provider;

export const money = (minor: number, currency: string): string => priceWords({ amount_minor: minor, currency });

/** Who sold it, as they were called then: the first half of the project's slug. */
export const sellerOf = ({ project }: Order): string => project.slug.split('.')[0] ?? '';

/** "€9.00", "€9.00 to be paid", "€4.00 of €9.00 given back": the money of an order in a glance. */
export function moneyWords({ amount_minor: amount, refunded_minor: back, currency, state }: Order): string {
  const whole = money(amount, currency);
  return state === 'paid' && back > 0 ? `${money(back, currency)} of ${whole} given back` : whole;
}

/** Where an order stands, and what happens next, to the one who reads it. */
export function standing(order: Order): string {
  return order.side === 'buyer' ? STANDING_OF_BUYER[order.state](order) : STANDING_OF_SELLER[order.state](order);
}

const STANDING_OF_BUYER: Record<OrderState, (order: Order) => string> = {
  pending: (order) =>
    order.provider === 'manual'
      ? `Pay ${money(order.amount_minor, order.currency)} to ${sellerOf(order)}, and name ${order.invoice_number}. ` +
        `As soon as ${sellerOf(order)} has noted the payment, the download is yours.`
      : `Pay ${money(order.amount_minor, order.currency)} on the page of the payment provider. Then the download is yours.`,
  paid: (order) =>
    order.refunded_minor > 0
      ? `It is yours. ${money(order.refunded_minor, order.currency)} of the price came back to you.`
      : 'It is yours: download it, and make a licence key.',
  refunded: () => 'All of the money came back to you. The download and the licence key are good no more.',
  cancelled: () => 'Nothing is to be paid. If a payment arrives all the same, the order counts as paid.',
  expired: () => 'It was not paid in time. If a payment arrives all the same, the order counts as paid.',
};

const STANDING_OF_SELLER: Record<OrderState, (order: Order) => string> = {
  pending: (order) =>
    order.provider === 'manual'
      ? `${order.buyer} has ordered it. Once the money has arrived, mark the order as paid.`
      : `${order.buyer} has not paid yet. The payment provider will tell.`,
  paid: (order) =>
    order.refunded_minor > 0
      ? `${money(order.refunded_minor, order.currency)} was given back; ${order.buyer} keeps the download.`
      : `${order.buyer} has paid, and may download it.`,
  refunded: (order) => `All of the money was given back. ${order.buyer} may no longer download it.`,
  cancelled: () => 'Nothing is to be paid. If a payment arrives all the same, the order counts as paid.',
  expired: (order) =>
    order.provider === 'manual'
      ? 'It was not paid in time. If the money has arrived all the same, mark the order as paid.'
      : 'It was not paid in time. If a payment arrives all the same, the order counts as paid.',
};

export interface Step {
  label: string;
  /** A time, or what is known in its place. */
  note: string | null;
  state: 'done' | 'now' | 'ahead';
}

/** What has happened to an order and what is to come, the oldest first. */
export function stepsOf(order: Order): Step[] {
  const ordered: Step = { label: 'Ordered', note: moment(order.created_at), state: 'done' };
  const isOver = order.state === 'cancelled' || order.state === 'expired';
  return isOver ? [ordered, paymentStep(order)] : [ordered, paymentStep(order), lastStep(order)];
}

function paymentStep(order: Order): Step {
  if (order.paid_at) return { label: 'Paid', note: moment(order.paid_at), state: 'done' };
  if (order.state === 'cancelled') return { label: 'Cancelled', note: null, state: 'done' };
  if (order.state === 'expired') return { label: 'Expired', note: moment(order.expires_at), state: 'done' };
  return { label: 'Waiting for the payment', note: `until ${moment(order.expires_at)}`, state: 'now' };
}

function lastStep({ state, paid_at, refunded_minor: back, currency }: Order): Step {
  if (state === 'refunded') return { label: 'All given back', note: money(back, currency), state: 'done' };
  if (paid_at !== null && back > 0) return { label: 'Partly given back', note: money(back, currency), state: 'done' };
  return { label: 'Download and licence key', note: null, state: paid_at === null ? 'ahead' : 'done' };
}
