import { streamChat, type ChatMessage, type ChatPiece, type Kept, type Usage } from '#lib/api/completions.ts';
import { ApiProblem, asProblem } from '#lib/api/problem.ts';

export type TurnState = 'waiting' | 'writing' | 'done' | 'stopped' | 'failed';

/** A question and what became of it. */
export class Turn {
  model = $state('');
  text = $state('');
  thoughts = $state('');
  state = $state<TurnState>('waiting');
  problem = $state.raw<ApiProblem | null>(null);
  usage = $state.raw<Usage | null>(null);
  /** Null for an answer that was made for this question. */
  kept = $state.raw<Kept | null>(null);
  /** Until the first word, or thought, was there. */
  firstWordMs = $state<number | null>(null);
  /** Why the model stopped, in its own word. */
  end = $state('');

  constructor(
    readonly id: number,
    readonly question: string,
  ) {}

  get isUnderWay(): boolean {
    return this.state === 'waiting' || this.state === 'writing';
  }

  take({ text = '', thought = '', usage, end, kept }: ChatPiece, afterMs: number): void {
    if (text || thought) {
      this.firstWordMs ??= afterMs;
      this.state = 'writing';
    }
    this.text += text;
    this.thoughts += thought;
    this.usage = usage ?? this.usage;
    this.kept = kept ?? this.kept;
    this.end = end ?? this.end;
  }

  begin(model: string): void {
    this.model = model;
    this.text = this.thoughts = this.end = '';
    this.state = 'waiting';
    this.problem = this.usage = this.kept = this.firstWordMs = null;
  }
}

const MODEL_KEY = 'ocp.ai.model';

/**
 * A conversation with a model. It is here and nowhere else: a page that is loaded again begins anew. It outlives the
 * component that made it, which no `$derived` would.
 */
export class Chat {
  turns = $state.raw<readonly Turn[]>([]);
  /** What is being typed, not sent yet. */
  draft = $state('');
  system = $state('');
  temperature = $state('');
  mostTokens = $state('');
  #model = $state(remembered());

  readonly #now: () => number;
  #nextId = 1;
  #abort: AbortController | null = null;

  /** The time as an argument, so that tests are exact. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  get model(): string {
    return this.#model;
  }

  set model(name: string) {
    this.#model = name;
    try {
      localStorage.setItem(MODEL_KEY, name);
    } catch {
      // Chosen again the next time.
    }
  }

  get isUnderWay(): boolean {
    return this.turns.at(-1)?.isUnderWay ?? false;
  }

  /** What is wrong with the parameters, by their names; nothing is sent until they are right. */
  get complaints(): { temperature?: string; mostTokens?: string } {
    const isWhole = within(this.mostTokens, 1, 10_000_000) && !/[.,e]/i.test(this.mostTokens);
    return {
      ...(within(this.temperature, 0, 2) ? {} : { temperature: 'must be a number from 0 to 2' }),
      ...(isWhole ? {} : { mostTokens: 'must be a whole number from 1' }),
    };
  }

  get canSend(): boolean {
    return this.model !== '' && !this.isUnderWay && Object.keys(this.complaints).length === 0;
  }

  /** Sends what was typed. Answers with false when it cannot be sent now. */
  send(): boolean {
    if (!this.canSend || this.draft.trim() === '') return false;
    const turn = new Turn(this.#nextId++, this.draft);
    this.draft = '';
    this.turns = [...this.turns, turn];
    void this.#ask(turn);
    return true;
  }

  /** Asks the last question again, of the model that is chosen now, and wants another answer than the one it had. */
  retry(): void {
    const turn = this.turns.at(-1);
    if (turn && this.canSend) void this.#ask(turn, true);
  }

  stop(): void {
    this.#abort?.abort();
  }

  /** Answers with what brings the conversation back. */
  clear(): () => void {
    this.stop();
    const before = this.turns;
    this.turns = [];
    return () => {
      this.stop();
      this.turns = [...before, ...this.turns];
    };
  }

  async #ask(turn: Turn, fresh = false): Promise<void> {
    const abort = (this.#abort = new AbortController());
    const began = this.#now();
    turn.begin(this.model);
    try {
      for await (const arrived of streamChat(this.#request(turn), { signal: abort.signal, fresh })) {
        for (const piece of arrived) turn.take(piece, this.#now() - began);
      }
      turn.state = 'done';
    } catch (error) {
      turn.problem = abort.signal.aborted ? null : asProblem(error);
      turn.state = abort.signal.aborted ? 'stopped' : 'failed';
    }
  }

  #request(asked: Turn) {
    const messages: ChatMessage[] = [];
    if (this.system.trim()) messages.push({ role: 'system', content: this.system });
    for (const turn of this.turns) {
      messages.push({ role: 'user', content: turn.question });
      if (turn === asked) break;
      if (turn.text) messages.push({ role: 'assistant', content: turn.text });
    }
    return {
      model: this.model,
      messages,
      ...(this.temperature === '' ? {} : { temperature: Number(this.temperature) }),
      ...(this.mostTokens === '' ? {} : { max_tokens: Number(this.mostTokens) }),
    };
  }
}

let kept: { userId: string; chat: Chat } | null = null;

/** The conversation of who is signed in, which stays while they look at other pages. */
export function chatOf(userId: string): Chat {
  if (kept?.userId !== userId) {
    kept?.chat.stop();
    kept = { userId, chat: new Chat() };
  }
  return kept.chat;
}

function remembered(): string {
  try {
    return localStorage.getItem(MODEL_KEY) ?? '';
  } catch {
    return '';
  }
}

function within(text: string, least: number, most: number): boolean {
  if (text === '') return true;
  const number = Number(text);
  return text.trim() !== '' && number >= least && number <= most;
}
