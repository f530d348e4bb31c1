import type { MailWhen, NoticeKind } from '#lib/api/notifications.ts';

/** What each kind of notice is about, as the rest of "Tell me when …". */
export const KIND_WORDS: Record<NoticeKind, string> = {
  'project.published': 'Somebody you follow publishes a project',
  'project.released': 'A project you follow has a new release',
  'search.matched': 'A new project fits a search you follow',
  'person.followed': 'Somebody follows you',
  'review.written': 'Your project is reviewed',
  'review.replied': 'An owner replies to your review',
  'order.paid': 'An order of yours, or of your project, is paid',
  'order.refunded': 'A payment is given back',
  'order.disputed': 'A payment is disputed, or a dispute is won or lost',
  'report.filed': 'A report waits for moderators',
  'moderation.decided': 'Your project, report or appeal is decided',
  'webhook.disabled': 'A webhook of yours is switched off',
};

/** How preferences are laid out, from what comes most often to what comes least. */
export const KIND_GROUPS: readonly { title: string; kinds: readonly NoticeKind[] }[] = [
  { title: 'What you follow', kinds: ['project.published', 'project.released', 'search.matched'] },
  { title: 'You and your projects', kinds: ['person.followed', 'review.written', 'review.replied'] },
  { title: 'Buying and selling', kinds: ['order.paid', 'order.refunded', 'order.disputed'] },
  { title: 'Rules and upkeep', kinds: ['report.filed', 'moderation.decided', 'webhook.disabled'] },
];

export const MAIL_OPTIONS: readonly { value: MailWhen; label: string }[] = [
  { value: 'none', label: 'No e-mail' },
  { value: 'at_once', label: 'E-mail at once' },
  { value: 'daily', label: 'E-mail once a day' },
];

/** "12"; a bell is small. */
export const badge = (unread: number): string => (unread > 99 ? '99+' : String(unread));

/** The name of a kind in a list of them; kinds of newer servers are shown as they are. */
export const kindWords = (kind: string): string =>
  kind === 'webhook.test' ? 'A test' : (KIND_WORDS[kind as NoticeKind] ?? kind);
