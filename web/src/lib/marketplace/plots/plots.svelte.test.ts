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

it('what is drawn stays while it is asked for again', async () => {
  const day = (downloads: number) => ({ day: '2026-01-05', downloads, views: 0, robot_downloads: 0, robot_views: 0 });
  let come!: (answer: Response) => void;
  new FakeServer().on(
    'GET /api/v1/projects/ada.engine/days',
    json({ days: [day(1)] }),
    problem(503),
    () => new Promise<Response>((resolve) => (come = resolve)),
  );
  const counted = new ProjectDays();
  await counted.load('ada.engine');
  await counted.load('ada.engine');
  expect([counted.status, counted.people]).toEqual(['ready', [1]]);
  const again = counted.load('ada.engine');
  expect([counted.status, counted.people]).toEqual(['ready', [1]]);
  come(json({ days: [day(2)] }));
  await again;
  expect(counted.people).toEqual([2]);
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
