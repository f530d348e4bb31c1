import type { Chosen } from './wish.ts';

export const priceLabel = (price: string): string => ({ free: 'Free', paid: 'Paid' })[price] ?? price;

/** How a chosen filter reads on its chip. */
export function chipLabel({ facet, value }: Pick<Chosen, 'facet' | 'value'>): string {
  if (facet === 'price') return priceLabel(value);
  return facet === 'tags' ? `#${value}` : value;
}
