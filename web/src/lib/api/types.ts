/** The shapes of docs/api.md. Each name is used as it stands there, so that generated types can take their place. */

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export type Role = 'admin' | 'interviewer' | 'moderator' | 'member';

export interface User {
  id: string;
  email: string | null;
  display_name: string;
  roles: Role[];
  permissions: string[];
  created_at: string;
}

export interface AuthPolicy {
  registration: 'open' | 'invite' | 'closed';
  /** Nobody has registered yet: whoever comes first becomes the administrator. */
  first_account: boolean;
}

export interface Registration {
  email: string;
  password: string;
  display_name: string;
  invite?: string;
}

export interface ProfileChange {
  display_name?: string;
  email?: string;
  current_password?: string;
  new_password?: string;
}

export interface Token {
  id: string;
  name: string;
  scopes: string[];
  created_at: string;
  expires_at: string;
  /** To the hour; null when it was never used. */
  last_used_at: string | null;
  /** Whose it is, in lists; the name is null for an account that is gone. */
  owner_id?: string;
  owner_name?: string | null;
}

/** Only the answer to its creation carries the secret. */
export interface NewToken extends Omit<Token, 'last_used_at' | 'owner_id' | 'owner_name'> {
  token: string;
}

export interface Invite {
  id: string;
  role: Role;
  invite: string;
  expires_at: string;
}

export interface AuditEntry {
  id: string;
  at: string;
  kind: string;
  /** Empty where there was none, as the next two. */
  actor_id: string;
  subject_id: string;
  address: string;
  detail: string;
}

export interface PersonRef {
  id: string;
  name: string;
}

export type InterviewState = 'scheduled' | 'live' | 'ended';

export interface Interview {
  id: string;
  /** Six digits while the interview can be joined. */
  code: string | null;
  title: string;
  state: InterviewState;
  language: string;
  /** Those that have a buffer already. */
  languages: string[];
  frozen: boolean;
  document_id: string;
  duration_minutes: number | null;
  interviewer: PersonRef;
  created_at: string;
  started_at: string | null;
  ends_at: string | null;
  ended_at: string | null;
  /** Null while nobody may ask it. */
  assistant?: AssistantTerms | null;
}

export type AssistantMode = 'forbidden' | 'interviewers' | 'everyone';

export interface AssistantTerms {
  mode: AssistantMode;
  model: string;
  /** By everybody together, in the whole interview. */
  most_questions: number;
}

/** The assistant as the reader finds it. */
export interface AssistantPlace extends AssistantTerms {
  questions_left: number;
  may_ask: boolean;
  /** Those to choose from; empty for candidates. */
  models: string[];
  /** For interviewers: what all answers may cost together, if there is a limit, and have cost. */
  budget_usd: number | null;
  spent_usd: number | null;
}

export interface Question {
  id: string;
  interview_id: string;
  asked_by: Message['author'];
  model: string;
  text: string;
  language: string | null;
  /** The shared text that went along. */
  code: string | null;
  asked_at: string;
  state: 'answering' | 'answered' | 'failed';
  /** Whole once it has ended; before, what the list of questions knows of it. */
  answer: string;
  /** The number of the event that told the last of `answer`; null for what does not come from the list, or has ended. */
  answer_seq: number | null;
  /** It ended because it was as long as it may be. */
  cut: boolean;
  failure: string | null;
  answered_by: string | null;
  input_tokens: number | null;
  output_tokens: number | null;
  cost_nano: number | null;
  finished_at: string | null;
}

/** The summary after an interview, a machine's draft until it is accepted. */
export interface Summary {
  id: string;
  interview_id: string;
  /** Its events in the stream come after this number. */
  follows_seq: number;
  state: 'writing' | 'draft' | 'failed' | 'accepted';
  model: string;
  requested_by: PersonRef;
  requested_at: string;
  /** What the model wrote; empty while it writes. */
  drafted: string;
  text: string;
  /** Grows with each change of the text. */
  revision: number;
  failure: string | null;
  written_by: string | null;
  input_tokens: number | null;
  output_tokens: number | null;
  cost_nano: number | null;
  finished_at: string | null;
  changed_at: string | null;
  accepted_by: PersonRef | null;
  accepted_at: string | null;
}

export interface SummaryPlace {
  summary: Summary | null;
  may_change: boolean;
  /** Those that could draft one; without any, drafts cannot be asked for. */
  models: string[];
}

type AssistantWish = Partial<AssistantTerms> & Pick<AssistantTerms, 'mode'> & { budget_usd?: number | null };

export interface InterviewDraft {
  title: string;
  language?: string;
  duration_minutes?: number;
  assistant?: AssistantWish;
}

export interface InterviewChange {
  title?: string;
  language?: string;
  frozen?: boolean;
  assistant?: AssistantWish;
}

export type ParticipantRole = 'interviewer' | 'candidate';
export type ParticipantStatus = 'waiting' | 'admitted' | 'declined' | 'removed' | 'left';

export interface Participant {
  id: string;
  name: string;
  role: ParticipantRole;
  status: ParticipantStatus;
  /** 0 to 7: the `--person-N` colour. */
  colour: number;
  online: boolean;
  joined_at: string;
  admitted_at: string | null;
}

export interface Joined {
  interview_id: string;
  participant: Participant;
  token: string;
}

/** What a participant may know of the interview, also while waiting. */
export interface OwnPlace {
  participant: Participant;
  interview: { id: string; title: string; state: InterviewState; interviewer_name: string };
}

export type RunState = 'queued' | 'running' | 'finished';
export type RunStatus =
  | 'ok'
  | 'error'
  | 'compile_error'
  | 'signal'
  | 'wall_time'
  | 'cpu_time'
  | 'memory'
  | 'output'
  | 'processes'
  | 'disk'
  | 'stopped'
  | 'sandbox_fault';

/** A compile stage that ended well. The events of the stream leave out what the compiler printed. */
export interface Compilation {
  cpu_time_ms: number;
  wall_time_ms: number;
  memory_bytes: number | null;
  cached: boolean;
  stdout?: string;
  stderr?: string;
}

export interface TerminalSize {
  columns: number;
  rows: number;
}

export type Stage = 'compile' | 'run';

export interface Run {
  id: string;
  interview_id: string;
  language: string;
  state: RunState;
  stdout: string;
  stderr: string;
  truncated: boolean;
  exit_code: number | null;
  signal: string | null;
  status: RunStatus | null;
  /** The verdict in words. */
  message: string | null;
  stage: Stage | null;
  compile: Compilation | null;
  /** The size with which its terminal began; null when it has none. */
  terminal: TerminalSize | null;
  stdin: string | null;
  args: string[];
  cpu_time_ms: number | null;
  wall_time_ms: number | null;
  memory_bytes: number | null;
  requested_by: PersonRef;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
}

export interface RunRequest {
  language?: string;
  stdin?: string;
  args?: string[];
  terminal?: TerminalSize;
}

export interface Message {
  id: string;
  author: PersonRef & { role: ParticipantRole };
  text: string;
  at: string;
}

export interface Signal {
  kind: 'paste' | 'focus_lost' | 'focus_returned' | 'idle' | 'active';
  size?: number | null;
  language?: string | null;
  line?: number | null;
  column?: number | null;
  duration_ms?: number | null;
}

export interface SeenSignal extends Signal {
  participant_id: string;
  at: string;
}

export interface Language {
  id: string;
  name: string;
  version: string | null;
  available: boolean;
  /** Why it cannot be run here. */
  reason: string | null;
  file_name: string;
  template: string;
}

export interface Ticket {
  ticket: string;
  expires_at: string;
}

type ParticipantEvent = 'joined' | 'admitted' | 'declined' | 'removed' | 'left' | 'online' | 'offline';

/** One event of an interview's stream, told apart by `type`. */
export type InterviewEvent = { at: string } & (
  | { type: `participant.${ParticipantEvent}`; participant: Participant }
  | { type: 'interview.started' | 'interview.ended' | 'interview.changed'; interview: Interview }
  | { type: 'interview.frozen'; frozen: boolean; by: PersonRef | null }
  | { type: 'language.changed'; language: string; by: PersonRef | null }
  | { type: 'run.started' | 'run.finished'; run: Run }
  | { type: 'run.queued'; run_id: string; ahead: number }
  | { type: 'run.stage'; run_id: string; stage: Stage; compile: Compilation | null }
  | { type: 'run.output'; run_id: string; stage: Stage; stream: 'stdout' | 'stderr'; text: string }
  | { type: 'chat.message'; message: Message }
  | { type: 'assistant.allowed'; assistant: AssistantTerms | null; by: PersonRef | null }
  | { type: 'assistant.asked' | 'assistant.finished' | 'assistant.failed'; question: Question }
  | { type: 'assistant.answered'; question_id: string; text: string }
  | { type: `summary.${'requested' | 'drafted' | 'failed' | 'accepted'}`; summary: Summary }
  | { type: 'summary.written'; summary_id: string; text: string }
  | { type: 'summary.discarded'; summary_id: string; by: PersonRef }
  | { type: 'monitor.signal'; signal: Signal; participant_id: string }
);
