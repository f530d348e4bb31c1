import type { Role } from '#lib/api/index.ts';

export type RoleChoice = Role;

export const ROLE_OPTIONS: readonly { value: RoleChoice; label: string }[] = [
  { value: 'admin', label: 'Administrator' },
  { value: 'interviewer', label: 'Interviewer' },
  { value: 'member', label: 'Member' },
];

/** The strongest of somebody's roles: what a person would call them. */
export function roleOf(roles: readonly Role[]): RoleChoice {
  return ROLE_OPTIONS.find(({ value }) => roles.includes(value))?.value ?? 'member';
}

/** One role is enough: an administrator may do all that the others may. */
export function rolesFor(choice: RoleChoice): Role[] {
  return [choice];
}
