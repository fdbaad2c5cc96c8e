// Starts and closes the browser of the tests; prints the reason in one line if it does not start.

import { chromium } from '@playwright/test'

import { launchOptions } from './browser.ts'

const timeout = 60_000 // milliseconds, on a busy machine
const reasonPattern =
  /error while loading|cannot open|executable doesn't exist|spawn .* E[A-Z]+|exitCode=/

try {
  const browser = await chromium.launch({ ...launchOptions(), timeout })
  await browser.close()
} catch (error) {
  const lines = String(error).split('\n')
  const line = lines.find((each) => reasonPattern.test(each)) ?? lines[0] ?? ''
  process.stderr.write(`${line.replace(/^.*?(?:\[err\]|\[pid=\d+\]|Error:)/, '').trim()}\n`)
  process.exitCode = 1
}
