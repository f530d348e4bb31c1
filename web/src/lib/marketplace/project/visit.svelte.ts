import {
  asProblem,
  counts,
  marketplace,
  releases,
  type ApiProblem,
  type Project,
  type Ratings,
} from '#lib/api/index.ts';
import { randomKey } from '#lib/api/keys.ts';

export type VisitStatus = 'loading' | 'ready' | 'failed';

/** One project, as somebody looks at it. */
export class ProjectVisit {
  project = $state.raw<Project | null>(null);
  status = $state<VisitStatus>('loading');
  problem = $state.raw<ApiProblem | null>(null);
  /** Null until the reviews are there, which come after the page. */
  ratings = $state.raw<Ratings | null>(null);
  isDownloading = $state(false);
  /** Of this visit. */
  downloads = $state(0);
  #slug = '';
  #starWish: boolean | null = null;

  /** Answers with the slug that the project has now, which may be another one. */
  async load(slug: string): Promise<string | null> {
    if (this.project?.slug !== slug) {
      this.project = null;
      this.downloads = 0;
      this.ratings = null;
    }
    this.#slug = slug;
    this.status = 'loading';
    this.problem = null;
    try {
      const project = await marketplace.project(slug);
      if (this.#slug !== slug) return null;
      this.#slug = project.slug;
      this.project = project;
      this.status = 'ready';
      return project.slug;
    } catch (error) {
      if (this.#slug !== slug) return null;
      this.problem = asProblem(error);
      this.status = 'failed';
      return null;
    }
  }

  /**
   * Shows the star at once and tells the server. Pressed again meanwhile, the last wish is what counts.
   *
   * Throws `ApiProblem` when it was refused; the star is as it was then.
   */
  async star(): Promise<void> {
    const { project } = this;
    if (!project) return;
    const wanted = !project.starred;
    this.#show({ starred: wanted, stars: Math.max(0, project.stars + (wanted ? 1 : -1)) });
    const isUnderWay = this.#starWish !== null;
    this.#starWish = wanted;
    if (isUnderWay) return;
    try {
      await this.#starUntilWished(project.slug);
    } catch (error) {
      if (this.project?.slug === project.slug) this.#show({ starred: project.starred, stars: project.stars });
      throw asProblem(error);
    } finally {
      this.#starWish = null;
    }
  }

  /** Counts the download and answers with the address. Throws `ApiProblem`. */
  async download(): Promise<string> {
    const { project } = this;
    if (!project) throw new Error('Nothing is shown that could be downloaded.');
    this.isDownloading = true;
    try {
      const { url } = await marketplace.download(project.slug, randomKey());
      this.downloads += 1;
      void this.recount();
      return url;
    } finally {
      this.isDownloading = false;
    }
  }

  /** A file of a release is being downloaded by its own link: shows what that adds. */
  async took(version: string, name: string): Promise<void> {
    const { project } = this;
    if (!project) return;
    // What is wrong, the download itself says.
    const isCounted = await releases.counted(project.slug, version, name).catch(() => false);
    if (!isCounted || this.project?.id !== project.id) return;
    this.downloads += 1;
    await this.recount();
  }

  /** Heard of the reviews, perhaps after the project was left. */
  rated(id: string, ratings: Ratings): void {
    if (this.project?.id === id) this.ratings = ratings;
  }

  /** Shows the counters of now. They come apart from the project; when they do not come, those that are shown stay. */
  async recount(): Promise<void> {
    const { project } = this;
    if (!project) return;
    const told = await counts.now([project.id]).catch(() => null);
    const counted = told?.items.find(({ id }) => id === project.id);
    if (!counted || this.project?.id !== project.id) return;
    const { stars, downloads, views } = counted;
    // A star that is under way is shown already, and told of by its own answer.
    this.#show({ downloads, views, ...(this.#starWish === null ? { stars } : {}) });
  }

  /** Throws `ApiProblem`. */
  async feature(featured: boolean): Promise<void> {
    const { project } = this;
    if (!project) return;
    const changed = await marketplace.change(project.slug, { featured }, project.revision);
    // Whether the one who looks has starred it is not part of this answer.
    this.#show({ ...changed, starred: this.project?.starred ?? false });
  }

  async #starUntilWished(slug: string): Promise<void> {
    let sent: boolean | null = null;
    while (sent !== this.#starWish && this.#starWish !== null) {
      sent = this.#starWish;
      const told = await marketplace.star(slug, sent);
      if (sent === this.#starWish && this.project?.slug === slug) this.#show(told);
    }
  }

  #show(change: Partial<Project>): void {
    if (this.project) this.project = { ...this.project, ...change };
  }
}
