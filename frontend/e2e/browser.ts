import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

import { chromium, type LaunchOptions } from '@playwright/test'

/** Which browser to start: the one that E2E_CHROMIUM names, or Playwright's own. `nox -s e2e-quick` names one. */
export function launchOptions(): LaunchOptions {
  const executablePath = process.env['E2E_CHROMIUM']
  return executablePath ? { executablePath } : {}
}

/** Whether Playwright has its own browser, complete, in the version that this Playwright wants. */
export function hasPlaywrightBrowser(): boolean {
  return has('chromium-headless-shell')
}

/** Whether Playwright has its own ffmpeg: it records videos with no other, and fails the test without it. */
export function canRecordVideo(): boolean {
  return has('ffmpeg')
}

function has(name: string): boolean {
  const folder = `${name.replaceAll('-', '_')}-${revision(name)}`
  const browsers = /^.*(?=chromium-\d+)/.exec(chromium.executablePath())?.[0]
  return browsers !== undefined && existsSync(join(browsers, folder, 'INSTALLATION_COMPLETE'))
}

interface Browsers {
  browsers: { name: string; revision: string }[]
}

function revision(wanted: string): string {
  const core = dirnameOf('playwright-core/package.json')
  const { browsers } = JSON.parse(readFileSync(join(core, 'browsers.json'), 'utf8')) as Browsers
  return browsers.find(({ name }) => name === wanted)?.revision ?? 'unknown'
}

function dirnameOf(file: string): string {
  return join(createRequire(import.meta.url).resolve(file), '..')
}
