import type { InterviewApi } from '#lib/api/interviews.ts';
import type { InterviewEvent, Run, RunRequest, Stage, TerminalSize } from '#lib/api/types.ts';
import { Screen, type Stream } from './screen.ts';

/** Output is drawn at most this often, however fast a program prints. */
const DRAW_EVERY_MS = 50;
const USUAL_TERMINAL: TerminalSize = { columns: 80, rows: 24 };

/** One run and what it has printed so far. */
export class RunView {
  run = $state.raw<Run>()!;
  /** Grows when the screen has more to show. */
  #drawn = $state(0);
  #screens: Record<Stage, Screen> = { compile: new Screen(), run: new Screen() };
  /** Runs that come before this one, while it waits for its turn. */
  ahead = $state(0);
  /** Started from this page: its terminal takes the focus, and follows the size of our pane. */
  own = $state(false);
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
    return this.#screens.run.lines;
  }

  /** What the compiler said. */
  get compilerLines() {
    void this.#drawn;
    return this.#screens.compile.lines;
  }

  get revision(): number {
    return this.#drawn;
  }

  begin(stage: Stage, compile: Run['compile']): void {
    if (this.run.state === 'finished') return;
    this.run = { ...this.run, state: 'running', stage, compile: compile ?? this.run.compile };
    this.ahead = 0;
  }

  print(stage: Stage, stream: Stream, text: string): void {
    this.#screens[stage].write(stream, text);
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
    this.#screens = { compile: written(run.compile), run: new Screen() };
    this.#screens[run.stage ?? 'run'] = written(run);
  }

  #draw(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#drawn += 1;
  }
}

function written(printed: { stdout?: string; stderr?: string } | null): Screen {
  const screen = new Screen();
  if (printed?.stdout) screen.write('stdout', printed.stdout);
  if (printed?.stderr) screen.write('stderr', printed.stderr);
  return screen;
}

/** The runs of an interview, newest first, and the one that is looked at. */
export class Runs {
  all = $state.raw<readonly RunView[]>([]);
  /** A run picked from the history; `null` follows the newest. */
  picked = $state<string | null>(null);
  stdin = $state('');
  args = $state('');
  starting = $state(false);
  /** What a terminal begins with: the size that fitted last. */
  terminalSize: TerminalSize = USUAL_TERMINAL;

  readonly newest = $derived(this.all[0] ?? null);
  readonly shown = $derived(this.all.find(({ run }) => run.id === this.picked) ?? this.newest);
  readonly active = $derived(this.all.find(({ run }) => run.state !== 'finished') ?? null);

  readonly #api: InterviewApi;
  readonly #awaited = new Map<string, (run: Run) => void>();

  constructor(api: InterviewApi) {
    this.#api = api;
  }

  load(runs: readonly Run[]): void {
    const known = new Map(this.all.map((view) => [view.run.id, view]));
    this.all = runs.map((run) => known.get(run.id) ?? new RunView(run, false));
  }

  async start(language: string, inTerminal = false): Promise<void> {
    if (this.starting || this.active) return;
    this.picked = null;
    const args = splitArguments(this.args);
    await this.request({
      language,
      stdin: this.stdin || undefined,
      args: args.length > 0 ? args : undefined,
      terminal: inTerminal ? this.terminalSize : undefined,
    });
  }

  /** Start a run and know of it before its events come. */
  async request(request: RunRequest): Promise<Run> {
    this.starting = true;
    try {
      const run = await this.#api.startRun(request);
      this.#add(run);
      this.#of(run.id)!.own = true;
      return run;
    } finally {
      this.starting = false;
    }
  }

  /** The whole run once it is finished, with all that it printed. */
  async finished(id: string): Promise<Run> {
    if (this.#of(id)?.run.state !== 'finished') {
      await new Promise<Run>((resolve) => this.#awaited.set(id, resolve));
    }
    return this.#api.run(id);
  }

  async stop(): Promise<void> {
    const active = this.active;
    if (active) await this.#api.stopRun(active.run.id);
  }

  reduce(event: InterviewEvent): void {
    if (event.type === 'run.started') this.#add(event.run);
    else if (event.type === 'run.output') this.#of(event.run_id)?.print(event.stage, event.stream, event.text);
    else if (event.type === 'run.stage') this.#of(event.run_id)?.begin(event.stage, event.compile);
    else if (event.type === 'run.queued') this.#wait(event.run_id, event.ahead);
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

  #wait(id: string, ahead: number): void {
    const view = this.#of(id);
    if (view) view.ahead = ahead;
  }

  #finish(run: Run): void {
    const view = this.#of(run.id);
    view?.finish(run);
    this.#awaited.get(run.id)?.(run);
    this.#awaited.delete(run.id);
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
