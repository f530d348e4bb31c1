import { reviewing, type Ratings, type Review, type ReviewDraft, type ReviewOrder } from '#lib/api/index.ts';
import { Paged } from '#lib/api/paged.svelte.ts';

export const ORDERS = [
  { value: 'recent', label: 'Newest' },
  { value: 'helpful', label: 'Most helpful' },
  { value: 'rating', label: 'Most stars' },
] as const satisfies readonly { value: ReviewOrder; label: string }[];

/** What people say of one project, with one's own review apart from theirs. */
export class Reviews {
  readonly slug: string;
  readonly paged: Paged<Review>;
  order = $state<ReviewOrder>('recent');
  summary = $state.raw<Ratings | null>(null);
  own = $state.raw<Review | null>(null);
  /** Has this person used the project, as far as the server knows? */
  mayReview = $state(false);
  readonly #onrated: (ratings: Ratings) => void;
  readonly others = $derived.by(() => this.paged.items.filter(({ id }) => id !== this.own?.id));

  /** `onrated`: told how people rate it, whenever that has been read. */
  constructor(slug: string, onrated: (ratings: Ratings) => void = () => {}) {
    this.slug = slug;
    this.#onrated = onrated;
    this.paged = new Paged<Review>((cursor) => this.#fetch(cursor));
  }

  load(): Promise<void> {
    return this.paged.reload();
  }

  sort(order: ReviewOrder): Promise<void> {
    this.order = order;
    return this.paged.reload();
  }

  /** Throws `ApiProblem`. */
  async write(draft: ReviewDraft): Promise<void> {
    this.own = await reviewing.write(this.slug, draft);
    await this.load();
  }

  /** Throws `ApiProblem`. */
  async remove(): Promise<void> {
    await reviewing.remove(this.slug);
    this.own = null;
    await this.load();
  }

  /** The owner's reply; null takes it back. Throws `ApiProblem`. */
  async reply(review: Review, body: string | null): Promise<void> {
    const told = body === null ? await reviewing.removeReply(review.id) : await reviewing.reply(review.id, body);
    this.paged.replace({ ...told, marked: review.marked });
  }

  async #fetch(cursor: string | null) {
    const page = await reviewing.page(this.slug, this.order, { cursor, limit: 20 });
    this.summary = page.summary;
    this.#onrated(page.summary);
    this.own = page.own;
    this.mayReview = page.may_review;
    return page;
  }
}
