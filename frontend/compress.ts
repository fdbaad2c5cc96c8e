// Puts a compressed copy beside each text file of the built app, so that the web server compresses nothing itself:
// node compress.ts dist

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { constants, gzipSync } from 'node:zlib'

const text = /\.(css|html|js|json|map|svg|txt|webmanifest|xml)$/
const worthwhile = 1024 // bytes; what is smaller fits into the answer's first packet anyway

const [folder = 'dist'] = process.argv.slice(2)
for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
  if (!text.test(file)) continue
  const path = join(folder, file)
  const content = readFileSync(path)
  if (content.length < worthwhile) continue
  writeFileSync(`${path}.gz`, gzipSync(content, { level: constants.Z_BEST_COMPRESSION }))
}
