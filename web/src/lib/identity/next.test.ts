import { describe, expect, it } from 'vitest';
import { auditWords } from './audit-words.ts';
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
  it('names the strongest role, and gives one', () => {
    expect(roleOf(['member', 'interviewer'])).toBe('interviewer');
    expect(roleOf([])).toBe('member');
    expect(rolesFor('admin')).toEqual(['admin']);
  });

  it('reads like a sentence', () => {
    expect(auditWords('roles.changed')).toBe('Roles changed');
    expect(auditWords('sign_in.failed')).toBe('Sign in failed');
  });
});
