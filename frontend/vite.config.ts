import react from '@vitejs/plugin-react'
import type { Plugin, ProxyOptions } from 'vite'
import { defineConfig } from 'vitest/config'

import { productName } from './src/lib/product.ts'

const backend = `http://127.0.0.1:${process.env['BACKEND_PORT'] ?? '8000'}`

// The Host header stays as the browser sent it: Django compares it with Origin to refuse forged requests.
const proxy: Record<string, ProxyOptions> = { '/api': { target: backend, changeOrigin: false } }

const nameTheProduct: Plugin = {
  name: 'name-the-product',
  transformIndexHtml: (html) => html.replace('%PRODUCT_NAME%', productName),
}

export default defineConfig({
  plugins: [react(), nameTheProduct],
  resolve: { alias: { '@': `${import.meta.dirname}/src` } },
  server: { host: '127.0.0.1', proxy },
  preview: { host: '127.0.0.1', proxy },
  build: {
    // A strict content security policy allows neither data: addresses nor inline code.
    assetsInlineLimit: 0,
    // What the page may ever load: index.html names it, and a deploy asks for every file in it.
    manifest: 'asset-manifest.json',
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.{ts,tsx}'],
    allowOnly: false, // else only CI refuses what keeps the other tests from running
    setupFiles: ['src/testing/setup.ts'],
    // Only a test that hangs is ended by this: each step of it waits by the limit in setup.ts.
    testTimeout: 60_000,
    restoreMocks: true,
    unstubGlobals: true,
    coverage: {
      include: ['src/**/*.{ts,tsx}'],
      exclude: ['src/**/*.test.{ts,tsx}', 'src/**/*.d.ts', 'src/testing/**', 'src/app/entry.tsx'],
      reporter: [['text', { skipFull: true }], 'lcov', 'json-summary'],
      thresholds: { branches: 95, functions: 95, lines: 95, statements: 95 },
    },
  },
})
