import { request } from './request.ts';
import type {
  AuditEntry,
  AuthPolicy,
  Invite,
  NewToken,
  Page,
  ProfileChange,
  Registration,
  Role,
  Token,
  User,
} from './types.ts';

export interface PageQuery {
  limit?: number;
  cursor?: string | null;
}

export const identity = {
  policy: () => request<AuthPolicy>('GET', '/api/v1/auth/policy'),
  register: (body: Registration) => request<User>('POST', '/api/v1/auth/register', { body }),
  login: (body: { email: string; password: string }) => request<User>('POST', '/api/v1/auth/login', { body }),
  logout: () => request<void>('POST', '/api/v1/auth/logout'),
  /** Redeems the one-time link that the server printed on its first start. */
  setup: (token: string) => request<User>('POST', '/api/v1/auth/setup', { body: { token } }),

  /** Who is signed in at this browser, if anybody is. */
  session: () => request<{ user: User | null }>('GET', '/api/v1/auth/session'),
  changeMe: (body: ProfileChange) => request<User>('PATCH', '/api/v1/me', { body }),

  /** `everybody`: for administrators. */
  tokens: (query: PageQuery & { everybody?: boolean; scope?: string } = {}) => request<Page<Token>>('GET', '/api/v1/tokens', { query: { ...query } }),
  createToken: (body: { name: string; scopes: string[]; expires_in_days: number }) =>
    request<NewToken>('POST', '/api/v1/tokens', { body }),
  revokeToken: (id: string) => request<void>('DELETE', `/api/v1/tokens/${encodeURIComponent(id)}`),

  invite: (body: { role: Role; expires_in_days?: number }) => request<Invite>('POST', '/api/v1/invites', { body }),
  users: (query: PageQuery = {}) => request<Page<User>>('GET', '/api/v1/users', { query: { ...query } }),
  changeRoles: (id: string, roles: Role[]) =>
    request<User>('PATCH', `/api/v1/users/${encodeURIComponent(id)}/roles`, { body: { roles } }),
  audit: (query: PageQuery = {}) => request<Page<AuditEntry>>('GET', '/api/v1/audit', { query: { ...query } }),
};
