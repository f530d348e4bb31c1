import type { LedgerTransaction } from '#lib/api/index.ts';

export interface LedgerSums {
  debit: number;
  credit: number;
  balanced: boolean;
}

/** All debits and all credits, in minor units, and whether they are equal: in the whole, and in each transaction. */
export function sumsOf(transactions: readonly LedgerTransaction[]): LedgerSums {
  const amounts = transactions.map(({ entries }) => entries.map((entry) => entry.amount_minor));
  const all = amounts.flat();
  return {
    debit: total(all.filter((amount) => amount > 0)),
    credit: -total(all.filter((amount) => amount < 0)) || 0,
    balanced: amounts.every((each) => total(each) === 0),
  };
}

const total = (amounts: readonly number[]) => amounts.reduce((sum, amount) => sum + amount, 0);
