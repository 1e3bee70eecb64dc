// Builds the dashboard: `node ui/build.mjs [folder]`, by default into ui/dist. Says nothing unless it fails.
// Plain JavaScript, because whoever starts Muster from a fresh clone runs it before anything else.
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = dirname(fileURLToPath(import.meta.url));

await build({
  root,
  configFile: false,
  envFile: false,
  logLevel: 'error',
  base: '/',
  build: {
    outDir: resolve(process.argv[2] ?? join(root, 'dist')),
    emptyOutDir: true,
    target: 'es2022',
    // The page's content security policy knows no data: and no inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rollupOptions: { input: { index: join(root, 'index.html'), gallery: join(root, 'gallery.html') } },
  },
});
