import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import adapter from '@sveltejs/adapter-static';
import { sveltekit } from '@sveltejs/kit/vite';
import tailwindcss from '@tailwindcss/vite';
import { defineConfig } from 'vitest/config';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

// SvelteKit hashes its own start script only; the theme script in app.html must be allowed by us.
const [, themeScript = ''] = /<script>([\s\S]*?)<\/script>/.exec(readFileSync('src/app.html', 'utf8')) ?? [];
const themeHash = `sha256-${createHash('sha256').update(themeScript).digest('base64')}` as const;

export default defineConfig({
  plugins: [
    tailwindcss(),
    sveltekit({
      adapter: adapter({ fallback: '200.html', precompress: true }),
      compilerOptions: { runes: true },
      // A fixed name: two builds of one source are byte for byte the same.
      version: { name: version },
      csp: {
        mode: 'hash',
        directives: {
          'default-src': ['self'],
          'script-src': ['self', themeHash],
          'style-src': ['self', 'unsafe-inline'],
          'img-src': ['self', 'data:'],
          'font-src': ['self'],
          'connect-src': ['self', 'ws:', 'wss:'],
          'object-src': ['none'],
          'base-uri': ['none'],
          'form-action': ['self'],
        },
      },
    }),
  ],
  // Without the browser condition Svelte's server build is loaded in tests and effects silently never run.
  resolve: process.env.VITEST ? { conditions: ['browser'] } : undefined,
  // Small fonts as data: addresses would break `font-src 'self'`.
  build: { assetsInlineLimit: 0 },
  server: {
    proxy: {
      '/api': { target: process.env.OCP_DEV_SERVER ?? 'http://127.0.0.1:8000', ws: true },
      '/ai/v1': { target: process.env.OCP_DEV_SERVER ?? 'http://127.0.0.1:8000' },
    },
  },
  test: {
    environment: './test/client-environment.ts',
    include: ['src/**/*.test.ts'],
    restoreMocks: true,
  },
});
