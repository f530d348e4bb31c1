import type { InterviewApi } from '#lib/api/interviews.ts';
import type { InterviewEvent, Run } from '#lib/api/types.ts';
import { Screen, type Stream } from './screen.ts';

/** Output is drawn at most this often, however fast a program prints. */
const DRAW_EVERY_MS = 50;

/** One run and what it has printed so far. */
export class RunView {
  run = $state.raw<Run>()!;
  /** Grows when the screen has more to show. */
  #drawn = $state(0);
  #screen = new Screen();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Every piece came over the stream, so nothing has to be fetched at the end. */
  readonly complete: boolean;

  constructor(run: Run, complete: boolean) {
    this.run = run;
    this.complete = complete;
    if (!complete) this.#show(run);
  }

  get lines() {
    void this.#drawn;
    return this.#screen.lines;
  }

  get revision(): number {
    return this.#drawn;
  }

  print(stream: Stream, text: string): void {
    this.#screen.write(stream, text);
    this.#timer ??= setTimeout(() => this.#draw(), DRAW_EVERY_MS);
  }

  /** The run as the server keeps it, with all its output. */
  replace(run: Run): void {
    this.run = run;
    this.#show(run);
    this.#draw();
  }

  finish(run: Run): void {
    this.run = { ...this.run, ...run };
    this.#draw();
  }

  #show(run: Run): void {
    this.#screen = new Screen();
    if (run.stdout) this.#screen.write('stdout', run.stdout);
    if (run.stderr) this.#screen.write('stderr', run.stderr);
  }

  #draw(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#drawn += 1;
  }
}

/** The runs of an interview, newest first, and the one that is looked at. */
export class Runs {
  all = $state.raw<readonly RunView[]>([]);
  /** A run picked from the history; `null` follows the newest. */
  picked = $state<string | null>(null);
  stdin = $state('');
  args = $state('');
  starting = $state(false);

  readonly newest = $derived(this.all[0] ?? null);
  readonly shown = $derived(this.all.find(({ run }) => run.id === this.picked) ?? this.newest);
  readonly active = $derived(this.all.find(({ run }) => run.state !== 'finished') ?? null);

  readonly #api: InterviewApi;

  constructor(api: InterviewApi) {
    this.#api = api;
  }

  load(runs: readonly Run[]): void {
    const known = new Map(this.all.map((view) => [view.run.id, view]));
    this.all = runs.map((run) => known.get(run.id) ?? new RunView(run, false));
  }

  async start(language: string): Promise<void> {
    if (this.starting || this.active) return;
    this.starting = true;
    this.picked = null;
    try {
      const args = splitArguments(this.args);
      const stdin = this.stdin || undefined;
      this.#add(await this.#api.startRun({ language, stdin, args: args.length > 0 ? args : undefined }));
    } finally {
      this.starting = false;
    }
  }

  async stop(): Promise<void> {
    const active = this.active;
    if (active) await this.#api.stopRun(active.run.id);
  }

  reduce(event: InterviewEvent): void {
    if (event.type === 'run.started') this.#add(event.run);
    else if (event.type === 'run.output') this.#of(event.run_id)?.print(event.stream, event.text);
    else if (event.type === 'run.finished') this.#finish(event.run);
  }

  #of(id: string): RunView | undefined {
    return this.all.find(({ run }) => run.id === id);
  }

  /** The answer to our own call and the event tell of the same run, in either order. */
  #add(run: Run): void {
    const known = this.#of(run.id);
    if (known) {
      if (known.run.state === 'queued') known.run = { ...known.run, ...run };
      return;
    }
    this.all = [new RunView({ ...run, stdout: '', stderr: '' }, true), ...this.all];
  }

  #finish(run: Run): void {
    const view = this.#of(run.id);
    view?.finish(run);
    if (!view?.complete) void this.#fetch(run.id);
  }

  async #fetch(id: string): Promise<void> {
    const run = await this.#api.run(id).catch(() => null);
    if (!run) return;
    const view = this.#of(id);
    if (view) view.replace(run);
    else this.all = [new RunView(run, false), ...this.all];
  }
}

/** Splits a line of arguments as a shell would: quotes hold words together. */
export function splitArguments(line: string): string[] {
  const found = line.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S+)/g);
  return [...found].map(([, double, single, plain]) => double?.replace(/\\(.)/g, '$1') ?? single ?? plain ?? '');
}
