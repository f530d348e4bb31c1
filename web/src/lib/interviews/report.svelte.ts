import {
  asProblem,
  InterviewApi,
  type ApiProblem,
  type Interview,
  type Message,
  type Participant,
  type Run,
} from '#lib/api/index.ts';
import { Paged } from '#lib/api/paged.svelte.ts';
import { SummaryDesk } from './summary.svelte.ts';
import { languageName } from './words.ts';

/** What remains of an interview for those who held it. */
export class Report {
  interview = $state.raw<Interview | null>(null);
  people = $state.raw<readonly Participant[]>([]);
  problem = $state.raw<ApiProblem | null>(null);
  /** What was written, by the name of the language; only what is not empty. */
  texts = $state.raw<readonly { language: string; content: string }[]>([]);
  readonly runs: Paged<Run>;
  readonly messages: Paged<Message>;

  readonly lengthMs = $derived.by(() => {
    const { started_at, ended_at } = this.interview ?? {};
    return started_at && ended_at ? Date.parse(ended_at) - Date.parse(started_at) : null;
  });

  readonly summary: SummaryDesk;

  readonly #api: InterviewApi;

  constructor(readonly interviewId: string) {
    const api = new InterviewApi(interviewId, null);
    this.#api = api;
    this.summary = new SummaryDesk(api);
    this.runs = new Paged((cursor) => api.runs({ limit: 200, cursor }));
    this.messages = new Paged((cursor) => api.messages({ limit: 200, cursor }));
  }

  async load(): Promise<void> {
    this.problem = null;
    try {
      // All that stands above the runs comes at once, so nothing pushes them down.
      const [interview, people] = await Promise.all([
        this.#api.get(),
        this.#api.participants(),
        this.#read(),
        this.summary.load(),
      ]);
      this.interview = interview;
      this.people = people.items;
      const all = async (pages: Paged<Run> | Paged<Message>) => {
        await pages.reload();
        await pages.rest();
      };
      await Promise.all([all(this.runs), all(this.messages)]);
    } catch (error) {
      this.problem = asProblem(error);
    }
  }

  async #read(): Promise<void> {
    const { code } = await this.#api.export();
    this.texts = Object.values(code)
      .flatMap((texts) => Object.entries(texts))
      .map(([language, { content }]) => ({ language, content }))
      .filter(({ content }) => content.trim() !== '');
  }

  /** The whole interview as a file, named so that it is found again. */
  async file(): Promise<{ name: string; content: Blob }> {
    const record = await this.#api.export();
    const title = (this.interview?.title ?? 'interview').toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-');
    const date = (this.interview?.ended_at ?? this.interview?.created_at ?? '').slice(0, 10);
    return {
      name: `${[title.replace(/^-|-$/g, ''), date].filter(Boolean).join('-')}.json`,
      content: new Blob([JSON.stringify(record, null, 2)], { type: 'application/json' }),
    };
  }

  delete(): Promise<void> {
    return this.#api.delete();
  }
}

export interface RunSummary {
  total: number;
  good: number;
  languages: string[];
  /** Only those that have been timed. */
  longestMs: number | null;
}

export function summarise(runs: readonly Run[]): RunSummary {
  const times = runs.map((run) => run.wall_time_ms).filter((ms) => ms !== null);
  return {
    total: runs.length,
    good: runs.filter((run) => run.status === 'ok').length,
    languages: [...new Set(runs.map((run) => languageName(run.language)))],
    longestMs: times.length > 0 ? Math.max(...times) : null,
  };
}
