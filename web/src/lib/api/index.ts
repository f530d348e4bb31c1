export * from './events.ts';
export * from './identity.ts';
export * from './interviews.ts';
export * from './marketplace.ts';
export * from './notifications.ts';
export * from './problem.ts';
export { request, transport } from './request.ts';
export * from './seats.ts';
export type * from './types.ts';
