import { Paged } from '#lib/api/paged.svelte.ts';
import { notifications, type NewWebhook, type Webhook, type WebhookDraft } from '#lib/api/notifications.ts';

/** My webhooks; the secret of a new one is here until it is put away, and nowhere afterwards. */
export class Webhooks {
  readonly paged = new Paged<Webhook>((cursor) => notifications.webhooks({ cursor }));
  fresh = $state.raw<NewWebhook | null>(null);

  async create(draft: WebhookDraft): Promise<void> {
    const made = await notifications.createWebhook(draft);
    this.fresh = made;
    const { secret: _secret, ...listed } = made;
    this.paged.prepend(listed);
  }

  putAway(): void {
    this.fresh = null;
  }
}
