import { describe, expect, it } from 'vitest';
import { auditDetail, auditWords } from './audit-words.ts';
import { fragmentValue, nextPath } from './next.ts';
import { roleOf, rolesFor } from './roles.ts';

describe('where to go after signing in', () => {
  it('is a page of this site', () => {
    expect(nextPath('/interviews/int_1?tab=runs', '/home')).toBe('/interviews/int_1?tab=runs');
  });

  it.each([null, '', 'https://evil.example', '//evil.example', '/\\evil.example', 'javascript:alert(1)'])(
    'is never another one: %j',
    (wish) => {
      expect(nextPath(wish, '/home')).toBe('/home');
    },
  );

  it('reads secrets from the part that reaches no server log', () => {
    expect(fragmentValue('#token=a%2Bb', 'token')).toBe('a+b');
    expect(fragmentValue('', 'token')).toBeNull();
  });
});

describe('roles and the audit trail', () => {
  it('names the strongest role, and lets administrators interview', () => {
    expect(roleOf(['member', 'interviewer'])).toBe('interviewer');
    expect(roleOf([])).toBe('member');
    expect(rolesFor('admin')).toEqual(['admin', 'interviewer']);
  });

  it('reads like a sentence', () => {
    expect(auditWords('identity.roles_changed')).toBe('Roles changed');
    expect(auditDetail({ from_role: 'member', count: 2 })).toBe('from role member, count 2');
    expect(auditDetail(null)).toBe('');
  });
});
