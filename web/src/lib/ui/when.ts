const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const dayAndMonth = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const withYear = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
const timeOfDay = {
  short: new Intl.DateTimeFormat('en-GB', { timeStyle: 'short' }),
  withSeconds: new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' }),
};
const exact = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

/** "3 minutes ago", "yesterday", "14 Mar": as precise as the distance deserves. */
export function ago(time: string, now: Date = new Date()): string {
  const then = new Date(time);
  const ms = now.getTime() - then.getTime();
  if (ms < MINUTE) return 'just now';
  if (ms < HOUR) return relative.format(-Math.floor(ms / MINUTE), 'minute');
  if (ms < DAY) return relative.format(-Math.floor(ms / HOUR), 'hour');
  if (ms < 7 * DAY) return relative.format(-Math.floor(ms / DAY), 'day');
  return then.getFullYear() === now.getFullYear() ? dayAndMonth.format(then) : withYear.format(then);
}

/** The whole truth, for tooltips and tables. */
export function moment(time: string): string {
  return exact.format(new Date(time));
}

export function day(time: string): string {
  return withYear.format(new Date(time));
}

/** "15:04": the time of day, for a list whose day is known. */
export function clock(time: string, { seconds = false } = {}): string {
  return (seconds ? timeOfDay.withSeconds : timeOfDay.short).format(new Date(time));
}

/** "47 min", "1 h 20 min". */
export function length(ms: number): string {
  if (ms < MINUTE) return 'under 1 min';
  const minutes = Math.round(ms / MINUTE);
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A program's time: "42 ms", "1.2 s". */
export function fine(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
