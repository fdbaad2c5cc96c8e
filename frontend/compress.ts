// Compresses the text files of a build in advance, so that the web server need not do it per request:
// node compress.ts dist

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { constants, gzipSync } from 'node:zlib'

const text = /\.(css|html|js|json|map|svg|txt|webmanifest|xml)$/
const minimumSize = 1024 // bytes; smaller files fit into the first packet anyway

const [folder = 'dist'] = process.argv.slice(2)
for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
  if (!text.test(file)) continue
  const path = join(folder, file)
  const content = readFileSync(path)
  if (content.length < minimumSize) continue
  writeFileSync(`${path}.gz`, gzipSync(content, { level: constants.Z_BEST_COMPRESSION }))
}
