import { asProblem, counts, type ApiProblem, type CountedDay } from '#lib/api/index.ts';

export const RANGES = [
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
  { value: '365', label: 'A year' },
] as const;
export type Range = (typeof RANGES)[number]['value'];
const LONGEST = 365;

/** What was counted of one project. A year is asked for once, so that another range is there at once. */
export class ProjectDays {
  range = $state<Range>('90');
  status = $state<'loading' | 'ready' | 'failed'>('loading');
  problem = $state.raw<ApiProblem | null>(null);
  #year = $state.raw<readonly CountedDay[]>([]);
  readonly days = $derived(this.#year.slice(-Number(this.range)));
  readonly people = $derived(this.days.map(({ downloads }) => downloads));
  readonly robots = $derived(this.days.map(({ robot_downloads }) => robot_downloads));
  /** Not once in the whole year. */
  readonly isEmpty = $derived(this.#year.every((day) => day.downloads + day.robot_downloads === 0));
  #slug = '';

  /** Asked again for the same project, what is shown stays until there is something newer. */
  async load(slug: string): Promise<void> {
    const isShown = this.#slug === slug && this.status === 'ready';
    this.#slug = slug;
    if (!isShown) this.status = 'loading';
    this.problem = null;
    try {
      const { days } = await counts.days(slug, LONGEST);
      if (this.#slug !== slug) return;
      this.#year = days;
      this.status = 'ready';
    } catch (error) {
      if (this.#slug !== slug || isShown) return;
      this.problem = asProblem(error);
      this.status = 'failed';
    }
  }
}
