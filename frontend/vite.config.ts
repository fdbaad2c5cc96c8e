import react from '@vitejs/plugin-react'
import type { Plugin, ProxyOptions } from 'vite'
import { defineConfig } from 'vitest/config'

import { productName } from './src/lib/product.ts'

const backend = `http://127.0.0.1:${process.env['BACKEND_PORT'] ?? '8000'}`

// Keep the Host header of the browser: Django's CSRF check compares it with Origin.
const proxy: Record<string, ProxyOptions> = { '/api': { target: backend, changeOrigin: false } }

const insertProductName: Plugin = {
  name: 'insert-product-name',
  transformIndexHtml: (html) => html.replace('%PRODUCT_NAME%', productName),
}

export default defineConfig({
  plugins: [react(), insertProductName],
  resolve: { alias: { '@': `${import.meta.dirname}/src` } },
  server: { host: '127.0.0.1', proxy },
  preview: { host: '127.0.0.1', proxy },
  build: {
    // The content security policy allows neither data: URLs nor inline code.
    assetsInlineLimit: 0,
    // Lists all files of the build. index.html refers to it, and the smoke test of a deployment requests every file.
    manifest: 'asset-manifest.json',
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.{ts,tsx}'],
    allowOnly: false, // the default allows `test.only` outside of CI
    setupFiles: ['src/testing/setup.ts'],
    // Ends hanging tests only: the timeout of single steps is in setup.ts.
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
