import {
  asProblem,
  marketplace,
  sources,
  type Project,
  type ProjectStatus,
  type SyncedProject,
  type SyncField,
} from '#lib/api/index.ts';
import { randomKey } from '#lib/api/keys.ts';
import { Submission } from '#lib/ui/submission.svelte.ts';
import { projectSearch } from '../search/project-search.svelte.ts';
import { drafts } from './drafts.ts';
import { bodyOf, changed, draftOf, EMPTY, FIELD_NAMES, fieldsOf, type FieldName, type ProjectFields } from './fields.ts';
import { merge } from './merging.ts';

/** Somebody saved the project elsewhere while it was being changed here. */
export interface Meeting {
  theirs: ProjectFields;
  mine: ProjectFields;
  conflicts: readonly FieldName[];
  taken: readonly FieldName[];
}

/** A project being written: a new one, or one that there is already. */
export class ProjectEditing {
  /** As it is on the server; null for a new one. */
  project = $state.raw<Project | null>(null);
  fields = $state.raw<ProjectFields>(EMPTY);
  meeting = $state.raw<Meeting | null>(null);
  /** What was typed here before and not saved has come back. */
  wasRestored = $state(false);
  readonly submission = new Submission(...FIELD_NAMES, 'price/amount_minor', 'price/currency');
  readonly base = $derived(this.project ? fieldsOf(this.project) : EMPTY);
  readonly isDirty = $derived(changed(this.base, this.fields).length > 0);

  // One key for one new project: pressing the button again after a lost answer makes no second one.
  readonly #key = randomKey();

  /** Begins with the project as it is, or with what was typed here before. */
  begin(project: Project | null): void {
    this.project = project;
    this.fields = this.base;
    this.meeting = null;
    const kept = drafts.read(this.#slug);
    if (!kept) return;
    this.wasRestored = true;
    if (kept.revision === (project?.revision ?? 0)) this.fields = kept.fields;
    else this.#meet(kept.base, kept.fields);
  }

  set(change: Partial<ProjectFields>): void {
    this.fields = { ...this.fields, ...change };
  }

  /** Keeps in this browser what is not on the server. */
  keep(): void {
    if (!this.isDirty) drafts.drop(this.#slug);
    else drafts.keep(this.#slug, { revision: this.project?.revision ?? 0, base: this.base, fields: this.fields });
  }

  /** Back to what the server has. */
  discard(): void {
    drafts.drop(this.#slug);
    this.wasRestored = false;
    this.meeting = null;
    this.fields = this.base;
  }

  /** Answers with the project when it is saved; `undefined` when it was refused, or met another change. */
  save(status?: ProjectStatus): Promise<Project | undefined> {
    return this.submission.run(async () => {
      const saved = this.project ? await this.#change(this.project, status) : await this.#create(status);
      if (saved) this.#adopt(saved);
      return saved;
    });
  }

  /** Takes these fields over from the project's repository, which changes it on the server at once. */
  async refresh(take: readonly SyncField[]): Promise<(SyncedProject & { before: ProjectFields }) | undefined> {
    const { project, base: before } = this;
    if (!project) return undefined;
    const synced = await sources.sync(project.slug, take, project.revision);
    this.#takeOver(synced.project);
    return { ...synced, before };
  }

  /** Saves these fields as they were, and leaves alone what is being typed into others. */
  async putBack(before: ProjectFields, names: readonly FieldName[]): Promise<void> {
    if (!this.project) return;
    const { slug, revision } = this.project;
    this.#takeOver(await marketplace.change(slug, bodyOf(before, names), revision));
  }

  async remove(): Promise<void> {
    if (!this.project) return;
    await marketplace.remove(this.project.slug);
    drafts.drop(this.#slug);
    projectSearch.forget();
    this.fields = this.base;
  }

  choose(name: FieldName, whose: 'mine' | 'theirs'): void {
    if (this.meeting) this.set({ [name]: this.meeting[whose][name] });
  }

  get #slug(): string | null {
    return this.project?.slug ?? null;
  }

  #create(status: ProjectStatus = 'draft'): Promise<Project> {
    return marketplace.create({ ...draftOf(this.fields), status }, this.#key);
  }

  async #change(project: Project, status?: ProjectStatus): Promise<Project | undefined> {
    const body = { ...bodyOf(this.fields, changed(this.base, this.fields)), ...(status ? { status } : {}) };
    try {
      return await marketplace.change(project.slug, body, project.revision);
    } catch (error) {
      if (asProblem(error).status !== 412) throw error;
      const before = this.base;
      this.project = await marketplace.project(project.slug);
      this.#meet(before, this.fields);
      return undefined;
    }
  }

  #meet(base: ProjectFields, mine: ProjectFields): void {
    const theirs = this.base;
    const { fields, conflicts, taken } = merge(base, mine, theirs);
    this.fields = fields;
    this.meeting = { theirs, mine, conflicts, taken };
  }

  #takeOver(saved: Project): void {
    const { base, fields } = this;
    this.project = saved;
    this.fields = merge(base, fields, this.base).fields;
    projectSearch.forget();
  }

  #adopt(saved: Project): void {
    drafts.drop(this.#slug);
    this.project = saved;
    this.fields = this.base;
    this.meeting = null;
    this.wasRestored = false;
    projectSearch.forget();
  }
}
