// Unpacks the browser that npm installed, once, and prints where its program is.

import { existsSync, mkdtempSync, renameSync } from 'node:fs'
import { join } from 'node:path'

const modules = join(import.meta.dirname, 'node_modules')
const unpacked = join(modules, '.chromium')

if (!existsSync(unpacked)) {
  // The package unpacks into the system's temporary folder. One of our own is renamed when it is complete, so that
  // a run that was cut short leaves nothing that looks like a browser.
  process.env['TMPDIR'] = mkdtempSync(join(modules, '.unpacking-'))
  const { default: chromium } = await import('@sparticuz/chromium')
  await chromium.executablePath()
  renameSync(process.env['TMPDIR'], unpacked)
}
process.stdout.write(`${join(unpacked, 'chromium')}\n`)
