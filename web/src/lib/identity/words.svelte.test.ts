import { describe, expect, it } from 'vitest';
import { FakeServer, json } from '../../../test/fake-server.ts';
import { auditWords } from './audit-words.ts';
import { fragmentValue, nextPath } from './next.ts';
import { CHOICES, roleInWords, roleOf, rolesFor } from './roles.ts';
import { Roster } from './roster.svelte.ts';

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

  it('keeps an interviewer who moderates an interviewer', () => {
    expect(roleOf(['moderator'])).toBe('moderator');
    expect(roleOf(['moderator', 'interviewer'])).toBe('interviewer+moderator');
    expect(rolesFor('interviewer+moderator')).toEqual(['interviewer', 'moderator']);
    for (const { value } of CHOICES) expect(roleOf(rolesFor(value))).toBe(value);
    expect(roleInWords('interviewer+moderator')).toBe('an interviewer and a moderator');
    expect(roleInWords('moderator')).toBe('a moderator');
  });

  it('puts names to ids, and shortens those that have none', async () => {
    const items = [{ id: 'usr_1', display_name: 'Grace' }];
    new FakeServer().on('GET /api/v1/users', json({ items, next_cursor: null }));
    const roster = new Roster();
    await roster.load();
    expect(roster.name('usr_1')).toBe('Grace');
    expect(roster.name('par_01M84DFC6VRYD534D1TSAZVKNC')).toBe('par_…AZVKNC');
    expect(roster.name('')).toBe('');
  });

  it('reads like a sentence', () => {
    expect(auditWords('roles.changed')).toBe('Roles changed');
    expect(auditWords('sign_in.failed')).toBe('Sign in failed');
  });
});
