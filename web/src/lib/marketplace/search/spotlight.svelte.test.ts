import { beforeEach, describe, expect, it, vi } from 'vitest';
import { marketplace, type FoundProjects, type ProjectCard } from '#lib/api/index.ts';
import { Spotlight } from './spotlight.svelte.ts';

const cards = (...ids: string[]) => ids.map((id) => ({ id }) as ProjectCard);
const ids = (found: readonly ProjectCard[] | null) => found?.map((card) => card.id).join(' ');

describe('what stands out', () => {
  let featured: ProjectCard[];
  beforeEach(() => {
    featured = [];
    vi.spyOn(marketplace, 'search').mockImplementation((query) =>
      Promise.resolve({ items: query.featured ? featured : cards('c', 'd', 'e') } as FoundProjects),
    );
  });

  it('is what is featured, then what trends, each project once', async () => {
    featured = cards('a', 'b', 'c');
    const spotlight = new Spotlight();
    expect(spotlight.places).toHaveLength(3);
    await spotlight.load();
    expect(ids(spotlight.all)).toBe('a b c d e');
    expect(ids(spotlight.above)).toBe('a b c');
    expect(spotlight.hasFeatured).toBe(true);
  });

  it('is what trends where nothing is featured', async () => {
    const spotlight = new Spotlight();
    await spotlight.load();
    expect(ids(spotlight.above)).toBe('c d e');
    expect(spotlight.hasFeatured).toBe(false);
  });

  it('is nothing where there is no marketplace', async () => {
    vi.mocked(marketplace.search).mockRejectedValue(new Error('404'));
    const spotlight = new Spotlight();
    await spotlight.load();
    expect(spotlight.all).toEqual([]);
    expect(spotlight.places).toEqual([]);
  });
});
