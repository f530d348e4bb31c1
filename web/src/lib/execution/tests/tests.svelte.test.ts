import { describe, expect, it, vi } from 'vitest';
import { memoryStorage } from '../../../../test/memory-storage.ts';
import { agree, diff } from './diff.ts';
import { RunsJudge, type Judge, type Outcome, type TestCase } from './judge.ts';
import { TestBook } from './test-book.svelte.ts';
import { TestRound } from './test-round.svelte.ts';

const test = (id: string, expected = ''): TestCase => ({ id, name: id, stdin: '', expected });
const outcome = (passed: boolean): Outcome => ({ passed, actual: '', run: {} as never });

describe('two outputs', () => {
  it('agree when they differ in trailing white space alone', () => {
    expect(agree('1 \n2', '1\r\n2\t\n\n')).toBe(true);
    expect(agree(' 1', '1')).toBe(false);
    expect(agree('', '\n')).toBe(true);
  });

  it('that differ are shown line by line', () => {
    expect(diff('one\ntwo\nfour', 'one\nthree\nfour\nfive')).toEqual([
      { kind: 'same', text: 'one' },
      { kind: 'missing', text: 'two' },
      { kind: 'extra', text: 'three' },
      { kind: 'same', text: 'four' },
      { kind: 'extra', text: 'five' },
    ]);
  });

  it('that are long are compared place by place', () => {
    const long = Array.from({ length: 3_000 }, (_, at) => `line ${at}`);
    const other = long.with(1_500, 'another');
    const lines = diff(long.join('\n'), other.join('\n'));
    expect(lines.filter(({ kind }) => kind !== 'same')).toEqual([
      { kind: 'missing', text: 'line 1500' },
      { kind: 'extra', text: 'another' },
    ]);
  });

  it('lose no line in the difference', () => {
    for (const [expected, actual] of [['a\nb\nc', 'c\nb\na'], ['', 'a'], ['a', ''], ['a\na\na', 'a']] as const) {
      const lines = diff(expected, actual);
      const side = (other: string) => lines.filter(({ kind }) => kind !== other).map(({ text }) => text).join('\n');
      expect([side('extra'), side('missing')]).toEqual([expected, actual]);
    }
  });
});

describe('a book of tests', () => {
  it('is there again when the page is', () => {
    const storage = memoryStorage();
    const book = new TestBook(storage, 'int_1');
    Object.assign(book.add()!, { name: 'Two', stdin: '2', expected: '4' });
    book.stopAtFirst = true;
    book.save();
    const again = new TestBook(storage, 'int_1');
    expect(again.tests).toMatchObject([{ name: 'Two', stdin: '2', expected: '4' }]);
    expect(again.stopAtFirst).toBe(true);
    expect(new TestBook(storage, 'int_2').tests).toEqual([]);
    again.remove(again.tests[0]!.id);
    expect(new TestBook(storage, 'int_1').tests).toEqual([]);
  });

  it('opens empty when what is kept makes no sense', () => {
    const storage = memoryStorage();
    for (const nonsense of ['{', '[]', '{"tests":[1,{"name":2}]}', 'null']) {
      storage.setItem('ocp.tests.int_1', nonsense);
      expect(new TestBook(storage, 'int_1').tests).toEqual([]);
    }
    expect(new TestBook(null, 'int_1').add()?.name).toBe('Test 1');
  });
});

describe('a round of tests', () => {
  const judge = (...verdicts: boolean[]): Judge => ({
    judge: vi.fn(async () => outcome(verdicts.shift()!)),
    stop: async () => {},
  });

  it('tries one after the other and counts', async () => {
    const round = new TestRound(judge(true, false, true));
    await round.run([test('a'), test('b'), test('c')]);
    expect(round.summary(3)).toBe('2 of 3 passed');
    expect([round.passed, round.failed, round.running]).toEqual([2, 1, false]);
  });

  it('ends at the first failure when asked to', async () => {
    const round = new TestRound(judge(true, false, true));
    await round.run([test('a'), test('b'), test('c')], { stopAtFirst: true });
    expect(round.summary(3)).toBe('1 of 3 passed, 1 not run');
  });

  it('ends after the test that was stopped', async () => {
    let finish!: (outcome: Outcome) => void;
    const stop = vi.fn(async () => finish(outcome(false)));
    const round = new TestRound({ judge: () => new Promise((resolve) => (finish = resolve)), stop });
    const running = round.run([test('a'), test('b')]);
    expect(round.summary(2)).toBe('Running test 1 of 2');
    await round.stop();
    await running;
    expect(round.outcomes.size).toBe(1);
  });

  it('tells what kept it from running', async () => {
    const round = new TestRound({ judge: () => Promise.reject(new Error('offline')), stop: async () => {} });
    await round.run([test('a')]);
    expect(round.problem).not.toBeNull();
    expect(round.running).toBe(false);
  });

  it('forgets the outcome of a test that was changed', async () => {
    const round = new TestRound(judge(true));
    await round.run([test('a')]);
    round.forget('a');
    expect(round.summary(1)).toBeNull();
  });
});

describe('the judge of the room', () => {
  const judged = async (run: object, expected: string) => {
    const request = vi.fn(async () => ({ id: 'run_1' }));
    const runs = { request, finished: async () => run } as never;
    const result = await new RunsJudge(runs, () => 'python').judge({ ...test('a', expected), stdin: '5' });
    expect(request).toHaveBeenCalledWith({ language: 'python', stdin: '5' });
    return result.passed;
  };

  it('runs what is in the editor and compares what it printed', async () => {
    expect(await judged({ status: 'ok', stdout: '25\n' }, '25')).toBe(true);
    expect(await judged({ status: 'ok', stdout: '24\n' }, '25')).toBe(false);
    expect(await judged({ status: 'error', stdout: '25\n' }, '25')).toBe(false);
  });
});
