import type { Run } from '#lib/api/types.ts';
import type { Runs } from '../runs.svelte.ts';
import { agree } from './diff.ts';

/** What a program is to read, and what it is to print then. */
export interface TestCase {
  id: string;
  name: string;
  stdin: string;
  expected: string;
}

export interface Outcome {
  passed: boolean;
  /** What it printed. */
  actual: string;
  run: Run;
}

/** Tries a program on one test. The room's judge runs what is in the editor; another may ask a server to judge. */
export interface Judge {
  judge(test: TestCase): Promise<Outcome>;
  /** End what is under way; its outcome then is that it was stopped. */
  stop(): Promise<void>;
}

/** One ordinary run for each test, and the comparison here. */
export class RunsJudge implements Judge {
  readonly #runs: Runs;
  readonly #language: () => string;

  constructor(runs: Runs, language: () => string) {
    this.#runs = runs;
    this.#language = language;
  }

  async judge({ stdin, expected }: TestCase): Promise<Outcome> {
    const started = await this.#runs.request({ language: this.#language(), stdin: stdin || undefined });
    const run = await this.#runs.finished(started.id);
    return { passed: run.status === 'ok' && agree(expected, run.stdout), actual: run.stdout, run };
  }

  stop(): Promise<void> {
    return this.#runs.stop();
  }
}
