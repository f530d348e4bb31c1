import { orders } from '#lib/api/index.ts';

/** Whether somebody has sold or bought anything, so that menus lead only to where something is. */
export class Trading {
  hasSales = $state(false);
  hasLicences = $state(false);
  #asked = false;

  /** Once; what fails is asked again when somebody comes back. */
  async ask(): Promise<void> {
    if (this.#asked) return;
    this.#asked = true;
    try {
      const [sales, licences] = await Promise.all([orders.sold({ limit: 1 }), orders.entitlements({ limit: 1 })]);
      this.hasSales = sales.items.length > 0;
      this.hasLicences = licences.items.length > 0;
      // Who has neither may soon have one.
      this.#asked = this.hasSales && this.hasLicences;
    } catch {
      this.#asked = false;
    }
  }
}

export const trading = new Trading();
