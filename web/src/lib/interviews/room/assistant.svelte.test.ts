import { describe, expect, it, vi } from 'vitest';
import type { InterviewApi } from '#lib/api/interviews.ts';
import type { AssistantPlace, InterviewEvent, Question } from '#lib/api/types.ts';
import { budgetChoices } from '../words.ts';
import { Assistant } from './assistant.svelte.ts';

const AT = '2026-01-02T03:04:05Z';
const question = (fields: Partial<Question> = {}): Question => ({
  id: 'qst_1',
  interview_id: 'int_1',
  asked_by: { id: 'par_1', name: 'Ada', role: 'candidate' },
  model: 'mock/small',
  text: 'Why?',
  language: null,
  code: null,
  asked_at: AT,
  state: 'answering',
  answer: '',
  cut: false,
  failure: null,
  answered_by: null,
  input_tokens: null,
  output_tokens: null,
  cost_nano: null,
  finished_at: null,
  answer_seq: null,
  ...fields,
});
const place: AssistantPlace = {
  mode: 'everyone',
  model: 'mock/small',
  most_questions: 50,
  questions_left: 50,
  may_ask: true,
  models: [],
  budget_usd: null,
  spent_usd: null,
};
const api = (fields: Partial<InterviewApi> = {}) =>
  ({ assistant: vi.fn(() => Promise.resolve(place)), ...fields }) as unknown as InterviewApi;

describe('the assistant in a room', () => {
  it('shows an answer as it comes, and whole at its end', () => {
    const assistant = new Assistant(api());
    const events: InterviewEvent[] = [
      { type: 'assistant.asked', at: AT, question: question() },
      { type: 'assistant.answered', at: AT, question_id: 'qst_1', text: 'Be' },
      { type: 'assistant.answered', at: AT, question_id: 'qst_1', text: 'cause.' },
    ];
    events.forEach((event, at) => assistant.reduce(event, 'usr_1', at + 1));
    expect(assistant.answering?.answer).toBe('Because.');
    const done = question({ state: 'answered', answer: 'Because.' });
    assistant.reduce({ type: 'assistant.finished', at: AT, question: done }, 'usr_1', 4);
    expect(assistant.answering).toBeNull();
    expect(assistant.questions).toEqual([done]);
    expect(assistant.unread).toBe(2);
  });

  it('shows who comes in late the answer so far, and goes on from there', () => {
    const assistant = new Assistant(api());
    assistant.load([question({ answer: 'Because', answer_seq: 7 })]);
    expect(assistant.answering?.answer).toBe('Because');
    const piece = (text: string): InterviewEvent => ({ type: 'assistant.answered', at: AT, question_id: 'qst_1', text });
    // The stream was open before the questions were fetched: what they have already comes again.
    assistant.reduce(piece('cause'), 'usr_1', 7);
    assistant.reduce(piece(' it is'), 'usr_1', 9);
    assistant.reduce(piece(' it is'), 'usr_1', 9);
    expect(assistant.answering?.answer).toBe('Because it is');
  });

  it('keeps its budget when another thing is changed, and takes it away when that is wanted', async () => {
    const change = vi.fn(() => Promise.resolve({} as never));
    const mine = { ...place, budget_usd: 0.5, models: ['mock/small'] };
    const assistant = new Assistant(api({ change, assistant: vi.fn(() => Promise.resolve(mine)) }));
    await assistant.look();
    await assistant.allow('interviewers', 'mock/small');
    await assistant.allow('everyone', 'mock/small', null);
    expect(change.mock.calls.map(([{ assistant: asked }]: any) => asked.budget_usd)).toEqual([0.5, null]);
  });

  it('offers the present budget among the usual ones', () => {
    expect(budgetChoices(null).map(({ label }) => label)).toEqual([
      'No budget', 'Up to $0.10', 'Up to $0.50', 'Up to $1.00', 'Up to $5.00', 'Up to $20.00',
    ]);
    expect(budgetChoices(2.5).map(({ value }) => value)).toEqual(['', '0.1', '0.5', '1', '2.5', '5', '20']);
  });

  it('is not there for candidates until it is allowed, and for nobody without a model', async () => {
    const assistant = new Assistant(api());
    expect(assistant.isHere(true)).toBe(false);
    await assistant.look();
    expect(assistant.isHere(false)).toBe(true);
    expect(assistant.isHere(true)).toBe(false);
    assistant.place = { ...place, mode: 'forbidden', models: ['mock/small'] };
    expect(assistant.isHere(false)).toBe(false);
    expect(assistant.isHere(true)).toBe(true);
  });

  it('keeps a question that could not be asked', async () => {
    const assistant = new Assistant(api({ ask: () => Promise.reject(new Error('offline')) }));
    assistant.draft = 'Why?';
    await expect(assistant.ask()).rejects.toThrow();
    expect(assistant.draft).toBe('Why?');
  });
});
