import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

import { chromium, type LaunchOptions } from '@playwright/test'

/** Starts the browser of E2E_CHROMIUM, which `nox -s e2e-quick` sets, or Playwright's browser. */
export function launchOptions(): LaunchOptions {
  const executablePath = process.env['E2E_CHROMIUM']
  return executablePath ? { executablePath } : {}
}

/** Whether Playwright's browser is installed, in the required version. */
export function hasPlaywrightBrowser(): boolean {
  return has('chromium-headless-shell')
}

/** Whether Playwright's ffmpeg is installed. Without it, tests that record videos fail. */
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
