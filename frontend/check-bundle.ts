// Fails if the entry scripts of a build are too large, or if the page has no asset manifest, which the smoke test of
// a deployment needs: node check-bundle.ts dist

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

const limit = 90_000 // bytes, compressed

const [folder = 'dist'] = process.argv.slice(2)
const page = readFileSync(join(folder, 'index.html'), 'utf8')
// The entry and the chunks that it imports statically.
const scripts = [...page.matchAll(/(?:src|href)="(\/[^"]+\.js)"/g)].map(([, path = '']) => path)
const size = scripts
  .map((path) => gzipSync(readFileSync(join(folder, path))).length)
  .reduce((sum, bytes) => sum + bytes, 0)

const measured = `entry JS: ${(size / 1000).toFixed(1)} kB gzip of ${String(limit / 1000)} kB`
if (scripts.length === 0 || size > limit) {
  process.stderr.write(
    `error: ${measured}: ${scripts.join(' ') || 'no script'}\n\nhint: load code that only some pages need with import()\n`,
  )
  process.exit(1)
}
const [, list = ''] = /name="asset-manifest" content="(\/[^"]+)"/.exec(page) ?? []
if (!list || !existsSync(join(folder, list))) {
  process.stderr.write(
    `error: the page has no asset manifest: ${list || 'not in index.html'}\n\nhint: set build.manifest in vite.config.ts\n`,
  )
  process.exit(1)
}
console.log(measured)
