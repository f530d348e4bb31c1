import { ApiProblem, type Price, type Project, type ProjectChange, type ProjectDraft } from '#lib/api/index.ts';
import { minorUnits, typedAmount } from '../words.ts';

/** A project as its form holds it. Links are empty where there are none; the amount is as it was typed. */
export interface ProjectFields {
  title: string;
  /** The second part of the slug; empty for a project that has none yet. */
  name: string;
  summary: string;
  description: string;
  technologies: readonly string[];
  tags: readonly string[];
  license: string;
  price: { isPaid: boolean; amount: string; currency: string };
  repository_url: string;
  documentation_url: string;
  demo_url: string;
}

export type FieldName = keyof ProjectFields;

export const FIELD_WORDS: Record<FieldName, string> = {
  title: 'Title',
  name: 'Address',
  summary: 'Summary',
  description: 'Description',
  technologies: 'Technologies',
  tags: 'Tags',
  license: 'Licence',
  price: 'Price',
  repository_url: 'Repository',
  documentation_url: 'Documentation',
  demo_url: 'Demo',
};
export const FIELD_NAMES = Object.keys(FIELD_WORDS) as FieldName[];

const FREE = { isPaid: false, amount: '', currency: 'EUR' };

export const EMPTY: ProjectFields = {
  title: '',
  name: '',
  summary: '',
  description: '',
  technologies: [],
  tags: [],
  license: '',
  price: FREE,
  repository_url: '',
  documentation_url: '',
  demo_url: '',
};

export function fieldsOf(project: Project): ProjectFields {
  const { price } = project;
  return {
    title: project.title,
    name: project.name,
    summary: project.summary,
    description: project.description,
    technologies: project.technologies,
    tags: project.tags,
    license: project.license ?? '',
    price: price ? { isPaid: true, amount: typedAmount(price), currency: price.currency } : FREE,
    repository_url: project.repository_url ?? '',
    documentation_url: project.documentation_url ?? '',
    demo_url: project.demo_url ?? '',
  };
}

/** Whether a field means the same in both. What a free project would have cost does not matter. */
export function same(name: FieldName, one: ProjectFields, other: ProjectFields): boolean {
  if (name === 'price' && !one.price.isPaid && !other.price.isPaid) return true;
  return JSON.stringify(one[name]) === JSON.stringify(other[name]);
}

export const changed = (before: ProjectFields, after: ProjectFields): FieldName[] =>
  FIELD_NAMES.filter((name) => !same(name, before, after));

/** The fields as the API takes them. Throws `ApiProblem` for an amount that is none. */
export function bodyOf(fields: ProjectFields, names: readonly FieldName[]): ProjectChange {
  const whole: Required<Omit<ProjectChange, 'status' | 'featured'>> = {
    title: fields.title,
    name: fields.name,
    summary: fields.summary,
    description: fields.description,
    technologies: [...fields.technologies],
    tags: [...fields.tags],
    license: fields.license.trim() || null,
    price: names.includes('price') ? priceOf(fields.price) : null,
    repository_url: fields.repository_url.trim() || null,
    documentation_url: fields.documentation_url.trim() || null,
    demo_url: fields.demo_url.trim() || null,
  };
  return Object.fromEntries(names.map((name) => [name, whole[name]]));
}

export function draftOf(fields: ProjectFields): ProjectDraft {
  const names = FIELD_NAMES.filter((name) => name !== 'name');
  return { ...bodyOf(fields, names), title: fields.title } as ProjectDraft;
}

function priceOf({ isPaid, amount, currency }: ProjectFields['price']): Price | null {
  if (!isPaid) return null;
  const minor = minorUnits(amount, currency);
  if (minor === null || minor === 0) {
    const errors = [{ pointer: '/price/amount_minor', detail: `must be an amount of ${currency}, such as 9` }];
    throw new ApiProblem({ status: 400, title: 'The price is not complete.', errors });
  }
  return { amount_minor: minor, currency };
}
