import { ApiProblem } from '#lib/api/problem.ts';

/**
 * The server's complaints at the fields that they are about: several of one field together, and those of no field as
 * the general one.
 *
 * `places`: the names of the fields; what is within one, such as `/models/0`, is about it.
 */
export function placed(problem: ApiProblem, places: readonly string[]): ApiProblem {
  if (problem.errors.length === 0) return problem;
  const byField = new Map<string, string[]>();
  for (const { pointer, detail } of problem.errors) {
    const field = places.find((each) => pointer === `/${each}` || pointer.startsWith(`/${each}/`)) ?? '';
    byField.set(field, [...(byField.get(field) ?? []), detail]);
  }
  const general = byField.get('') ?? [];
  return new ApiProblem(
    {
      status: problem.status,
      title: problem.title,
      detail: general.join(' ') || null,
      action: null,
      errors: [...byField].map(([field, details]) => ({ pointer: `/${field}`, detail: details.join(' ') })),
    },
    { cause: problem },
  );
}
