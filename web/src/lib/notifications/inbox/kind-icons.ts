import Bell from '@lucide/svelte/icons/bell';
import Flag from '@lucide/svelte/icons/flag';
import Landmark from '@lucide/svelte/icons/landmark';
import MessageSquare from '@lucide/svelte/icons/message-square';
import Package from '@lucide/svelte/icons/package';
import Receipt from '@lucide/svelte/icons/receipt';
import Scale from '@lucide/svelte/icons/scale';
import Search from '@lucide/svelte/icons/search';
import Star from '@lucide/svelte/icons/star';
import Tag from '@lucide/svelte/icons/tag';
import Undo from '@lucide/svelte/icons/undo-2';
import Unplug from '@lucide/svelte/icons/unplug';
import UserPlus from '@lucide/svelte/icons/user-plus';
import type { NoticeKind } from '#lib/api/notifications.ts';

const ICONS: Record<NoticeKind, typeof Bell> = {
  'project.published': Package,
  'project.released': Tag,
  'search.matched': Search,
  'person.followed': UserPlus,
  'review.written': Star,
  'review.replied': MessageSquare,
  'order.paid': Receipt,
  'order.refunded': Undo,
  'order.disputed': Landmark,
  'report.filed': Flag,
  'moderation.decided': Scale,
  'webhook.disabled': Unplug,
};

/** Kinds of newer servers have the bell. */
export const iconOf = (kind: NoticeKind): typeof Bell => ICONS[kind] ?? Bell;
