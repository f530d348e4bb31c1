import type { TestCase } from './judge.ts';

const MOST_TESTS = 50;

/** The tests of one interview, as this person wrote them; kept in this browser. */
export class TestBook {
  tests = $state<TestCase[]>([]);
  stopAtFirst = $state(false);
  readonly full = $derived(this.tests.length >= MOST_TESTS);

  readonly #storage: Storage | null;
  readonly #key: string;
  #next = 1;

  constructor(storage: Storage | null, interviewId: string) {
    this.#storage = storage;
    this.#key = `ocp.tests.${interviewId}`;
    const { tests, stopAtFirst } = read(storage, this.#key);
    this.tests = tests.map((test) => ({ ...test, id: this.#id() }));
    this.stopAtFirst = stopAtFirst;
  }

  add(): TestCase | null {
    if (this.full) return null;
    this.tests.push({ id: this.#id(), name: `Test ${this.tests.length + 1}`, stdin: '', expected: '' });
    this.save();
    return this.tests.at(-1)!;
  }

  remove(id: string): void {
    this.tests = this.tests.filter((test) => test.id !== id);
    this.save();
  }

  save(): void {
    const tests = this.tests.map(({ name, stdin, expected }) => ({ name, stdin, expected }));
    try {
      this.#storage?.setItem(this.#key, JSON.stringify({ tests, stopAtFirst: this.stopAtFirst }));
    } catch {
      // Full or forbidden: the tests then hold until the page is closed.
    }
  }

  #id(): string {
    return `test-${this.#next++}`;
  }
}

interface Stored {
  tests: Omit<TestCase, 'id'>[];
  stopAtFirst: boolean;
}

function read(storage: Storage | null, key: string): Stored {
  try {
    const stored = JSON.parse(storage?.getItem(key) ?? '{}') as Partial<Stored>;
    const tests = Array.isArray(stored.tests) ? stored.tests.filter(isTest).slice(0, MOST_TESTS) : [];
    return { tests, stopAtFirst: stored.stopAtFirst === true };
  } catch {
    return { tests: [], stopAtFirst: false };
  }
}

function isTest(value: unknown): value is Omit<TestCase, 'id'> {
  const test = value as Partial<TestCase> | null;
  return [test?.name, test?.stdin, test?.expected].every((part) => typeof part === 'string');
}
