import { builtinEnvironments, type Environment } from 'vitest/runtime';

/** Compiles Svelte for the browser, so that effects run, but brings no DOM: logic is tested without one. */
export default {
  ...builtinEnvironments.node,
  name: 'client-without-dom',
  viteEnvironment: 'client',
} satisfies Environment;
