import { expect, it } from 'vitest';
import { FakeServer, json, problem } from '../../../../test/fake-server.ts';
import { ProjectDays } from './project-days.svelte.ts';
import { WeeklyDownloads } from './weekly-downloads.svelte.ts';

it('each project of a list is asked for once, and again only after a failure', async () => {
  const server = new FakeServer().on(
    'GET /api/v1/projects/weeks',
    problem(503),
    json({ downloads: { prj_a: [0, 3] } }),
    json({ downloads: {} }),
  );
  const weekly = new WeeklyDownloads();
  await weekly.want(['prj_a', 'prj_b']);
  expect(weekly.of('prj_a')).toBeNull();
  await weekly.want(['prj_a', 'prj_b']);
  await weekly.want(['prj_a', 'prj_b', 'prj_c']);
  expect(weekly.of('prj_a')).toEqual([0, 3]);
  expect(weekly.of('prj_b')).toBeNull();
  expect(server.calls.at(-1)?.path).toBe('/api/v1/projects/weeks?ids=prj_c');
});

it('a shorter range is the end of the year that is known already', async () => {
  const days = Array.from({ length: 365 }, (_, index) => ({
    day: `day ${index}`,
    downloads: index,
    views: 0,
    robot_downloads: 1,
    robot_views: 0,
  }));
  const server = new FakeServer().on('GET /api/v1/projects/ada.engine/days', json({ days }));
  const counted = new ProjectDays();
  await counted.load('ada.engine');
  counted.range = '30';
  expect([counted.people.length, counted.people.at(-1), counted.isEmpty]).toEqual([30, 364, false]);
  expect(server.calls.length).toBe(1);
});
