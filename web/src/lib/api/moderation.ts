import type { PageQuery } from './identity.ts';
import { request } from './request.ts';
import type { components } from './schema.d.ts';
import type { Page } from './types.ts';

type Schemas = components['schemas'];

export type ReportReason = Schemas['ReportReason'];
export type Report = Schemas['ReportView'];
export type Hold = Schemas['HoldView'];
export type CaseCard = Schemas['CaseCardView'];
export type ModerationCase = Schemas['marketplace_schemas_moderation_CaseView'];
export type CaseStep = Schemas['StepView'];
export type CaseKind = Schemas['CaseKind'];
export type CaseState = Schemas['CaseState'];
export type Decision = Schemas['Decision'];
export type ReputationParts = Schemas['ReputationView'];

/** What people report, and appeal for. `name`: what people know it by. */
export type Subject = { name: string } & (
  | { kind: 'project'; slug: string }
  | { kind: 'review'; id: string }
  | { kind: 'profile'; handle: string }
);

const part = encodeURIComponent;

/** The same for the same subject. */
export function subjectPath(subject: Subject): string {
  if (subject.kind === 'project') return `/api/v1/projects/${part(subject.slug)}`;
  return subject.kind === 'review' ? `/api/v1/reviews/${part(subject.id)}` : `/api/v1/users/${part(subject.handle)}`;
}

const casePath = (id: string) => `/api/v1/moderation/cases/${part(id)}`;

export const moderation = {
  report: (subject: Subject, body: { reason: ReportReason; text: string }) =>
    request<Report>('POST', `${subjectPath(subject)}/reports`, { body }),
  appeal: (subject: Subject, text: string) =>
    request<Schemas['AppealView']>('POST', `${subjectPath(subject)}/appeal`, { body: { text } }),
  cases: (query: PageQuery & { state?: CaseState; kind?: CaseKind }) =>
    request<Page<CaseCard>>('GET', '/api/v1/moderation/cases', { query: { ...query } }),
  waiting: () => request<{ waiting: number }>('GET', '/api/v1/moderation/waiting'),
  one: (id: string) => request<ModerationCase>('GET', casePath(id)),
  decide: (id: string, decision: Decision, reason: string) =>
    request<ModerationCase>('POST', `${casePath(id)}/decide`, { body: { decision, reason } }),
  reputation: (handle: string) => request<ReputationParts>('GET', `/api/v1/users/${part(handle)}/reputation`),
};
