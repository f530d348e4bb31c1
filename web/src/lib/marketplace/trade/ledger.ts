import type { LedgerTransaction } from '#lib/api/index.ts';

export interface LedgerSums {
  /** One for each currency, in the order in which they came. */
  sums: readonly { currency: string; debit: number; credit: number }[];
  balanced: boolean;
}

/** All debits and all credits, in minor units, and whether each transaction balances. */
export function sumsOf(transactions: readonly LedgerTransaction[]): LedgerSums {
  const currencies = [...new Set(transactions.map(({ currency }) => currency))];
  return {
    sums: currencies.map((currency) => {
      const amounts = transactions.filter((each) => each.currency === currency).flatMap(amountsOf);
      return {
        currency,
        debit: total(amounts.filter((amount) => amount > 0)),
        credit: -total(amounts.filter((amount) => amount < 0)) || 0,
      };
    }),
    balanced: transactions.every((each) => total(amountsOf(each)) === 0),
  };
}

const amountsOf = ({ entries }: LedgerTransaction) => entries.map(({ amount_minor }) => amount_minor);
const total = (amounts: readonly number[]) => amounts.reduce((sum, amount) => sum + amount, 0);
