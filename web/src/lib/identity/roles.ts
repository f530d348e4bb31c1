import type { Role } from '#lib/api/index.ts';

/** What an account is given: a role, or the two that do not include each other. */
export type RoleChoice = Role | 'interviewer+moderator';

/** What an invitation gives. */
export const ROLE_OPTIONS: readonly { value: Role; label: string }[] = [
  { value: 'admin', label: 'Administrator' },
  { value: 'interviewer', label: 'Interviewer' },
  { value: 'moderator', label: 'Moderator' },
  { value: 'member', label: 'Member' },
];

export const CHOICES: readonly { value: RoleChoice; label: string }[] = [
  ...ROLE_OPTIONS.slice(0, 2),
  { value: 'interviewer+moderator', label: 'Interviewer and moderator' },
  ...ROLE_OPTIONS.slice(2),
];

/** What a person would call somebody with these roles: the strongest, or both of two that go beside each other. */
export function roleOf(roles: readonly Role[]): RoleChoice {
  const strongest = ROLE_OPTIONS.find(({ value }) => roles.includes(value))?.value ?? 'member';
  return strongest === 'interviewer' && roles.includes('moderator') ? 'interviewer+moderator' : strongest;
}

/** Every role includes what a member may, and an administrator may do all that the others may. */
export function rolesFor(choice: RoleChoice): Role[] {
  return choice === 'interviewer+moderator' ? ['interviewer', 'moderator'] : [choice];
}

/** As it stands in a sentence: "Grace is now …". */
export function roleInWords(choice: RoleChoice): string {
  if (choice === 'admin') return 'an administrator';
  if (choice === 'interviewer+moderator') return 'an interviewer and a moderator';
  return choice === 'interviewer' ? 'an interviewer' : `a ${choice}`;
}
