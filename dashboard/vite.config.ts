import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

/** Where `npm run dev` finds a server, and whose token it shows there: what `make run` starts. */
const server = process.env['MIRAGE_URL'] ?? 'http://127.0.0.1:7171';
const tokenFile = process.env['MIRAGE_TOKEN_FILE'] ?? '../.mirage/admin.token';

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { '~': new URL('./src', import.meta.url).pathname } },
  build: {
    target: 'es2023',
    // The folder holds a README that is committed; `scripts/empty.mjs` takes the rest away.
    emptyOutDir: false,
    manifest: 'manifest.json',
    chunkSizeWarningLimit: 700,
    assetsInlineLimit: 0,
    // A browser asks for six files at a time: what is small goes together.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'react', test: /node_modules\/(react|react-dom|scheduler)\//, priority: 3 },
            { name: 'tanstack', test: /node_modules\/@tanstack\//, priority: 2 },
            { name: 'ui', test: /src\/(ui|theme|api|live)\//, priority: 1 },
          ],
        },
      },
    },
  },
  server: {
    // The templates that ship with Mirage are read from where they are.
    fs: { allow: ['.', '../specs/templates'] },
    proxy: {
      '^/(api|apis|openapi|version|healthz|livez|readyz)(/|\\?|$)': {
        target: server,
        configure: (proxy) => {
          proxy.on('proxyReq', (request) => {
            request.setHeader('authorization', `Bearer ${readFileSync(tokenFile, 'utf8').trim()}`);
          });
        },
      },
    },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});

