import type { InterviewApi } from '#lib/api/interviews.ts';
import type { AssistantMode, AssistantPlace, InterviewEvent, Question } from '#lib/api/types.ts';

/** After these events somebody may ask who could not before, or the other way round. */
const TURNING: readonly InterviewEvent['type'][] = [
  'assistant.allowed',
  'assistant.asked',
  'assistant.finished',
  'assistant.failed',
  'interview.frozen',
  'interview.started',
];

/** What is asked of the assistant and answered by it, for everybody in the room. */
export class Assistant {
  /** Null until the server has told. */
  place = $state.raw<AssistantPlace | null>(null);
  questions = $state.raw<readonly Question[]>([]);
  unread = $state(0);
  draft = $state('');
  withCode = $state(true);
  readonly answering = $derived(this.questions.find(({ state }) => state === 'answering') ?? null);
  #open = false;
  #looks = 0;
  readonly #api: InterviewApi;

  constructor(api: InterviewApi) {
    this.#api = api;
  }

  /** Whether there is anything to see: for interviewers also what they could allow. */
  isHere(isInterviewer: boolean): boolean {
    if (this.questions.length > 0) return true;
    return this.place !== null && (isInterviewer ? this.place.models.length > 0 : this.place.mode !== 'forbidden');
  }

  /** Whether the person has the answers before their eyes. */
  show(open: boolean): void {
    this.#open = open;
    if (open) this.unread = 0;
  }

  /** Ask the server how things stand. */
  async look(): Promise<void> {
    const look = ++this.#looks;
    const place = await this.#api.assistant();
    // Answers may overtake each other; the last question's is the one that counts.
    if (look === this.#looks) this.place = place;
  }

  load(questions: readonly Question[]): void {
    this.questions = questions;
  }

  /** `seq` is the event's number in the stream: what was answered before one came in may be told again. */
  reduce(event: InterviewEvent, ownId: string, seq: number): void {
    if (TURNING.includes(event.type)) void this.look().catch(() => {});
    if (event.type === 'assistant.answered') {
      this.questions = this.questions.map((question) =>
        question.id === event.question_id && seq > (question.answer_seq ?? 0)
          ? { ...question, answer: question.answer + event.text, answer_seq: seq }
          : question,
      );
    } else if ('question' in event) {
      this.#put(event.question);
      const news = event.type !== 'assistant.asked' || event.question.asked_by.id !== ownId;
      if (news && !this.#open) this.unread += 1;
    }
  }

  async ask(): Promise<void> {
    const text = this.draft.trim();
    if (text === '') return;
    this.draft = '';
    try {
      const asked = await this.#api.ask({ text, include_code: this.withCode });
      // The stream may have told more of it already.
      if (!this.questions.some(({ id }) => id === asked.id)) this.#put(asked);
    } catch (error) {
      this.draft = text;
      throw error;
    }
  }

  async stop(): Promise<void> {
    if (this.answering) await this.#api.stopAnswer(this.answering.id);
  }

  async allow(mode: AssistantMode, model: string, budget_usd = this.place?.budget_usd ?? null): Promise<void> {
    const most_questions = this.place?.most_questions;
    await this.#api.change({ assistant: { mode, model, budget_usd, ...(most_questions ? { most_questions } : {}) } });
    await this.look();
  }

  #put(question: Question): void {
    const at = this.questions.findIndex(({ id }) => id === question.id);
    this.questions = at < 0 ? [...this.questions, question] : this.questions.with(at, question);
  }
}
