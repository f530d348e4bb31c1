import { describe, expect, it } from 'vitest';
import { complaint } from './complaint.ts';

describe('a complaint about a field', () => {
  it.each([
    ['is required', 'E-mail is required.'],
    ['must have 10 to 128 characters', 'E-mail must have 10 to 128 characters.'],
    ['is not your current password', 'This is not your current password.'],
    ['The code has six digits. It is in your invitation.', 'The code has six digits. It is in your invitation.'],
    ['Use at least 10 characters', 'Use at least 10 characters.'],
  ])('%s', (detail, sentence) => {
    expect(complaint('E-mail', detail)).toBe(sentence);
  });

  it('is nothing when nothing is wrong', () => {
    expect(complaint('E-mail', undefined)).toBeUndefined();
  });
});
