import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'

import { chromium } from '@playwright/test'

const systemNames = ['chromium', 'chromium-browser', 'google-chrome']

function findOnPath(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file))
}

export function systemBrowser(): string | undefined {
  return systemNames.map(findOnPath).find((file) => file !== undefined)
}

export function hasPlaywrightBrowser(): boolean {
  return existsSync(chromium.executablePath())
}

/** The browser to start instead of Playwright's own. The order: E2E_CHROMIUM, Playwright's, the system's. */
export function otherBrowser(): string | undefined {
  const chosen = process.env['E2E_CHROMIUM']
  if (chosen) return chosen
  return hasPlaywrightBrowser() ? undefined : systemBrowser()
}

/** Whether Playwright has its own ffmpeg: it records videos with no other, and fails the test without it. */
export function canRecordVideo(): boolean {
  const browsers = /^.*(?=chromium-\d+)/.exec(chromium.executablePath())?.[0]
  return browsers !== undefined && existsSync(join(browsers, `ffmpeg-${ffmpegRevision()}`))
}

interface Browsers {
  browsers: { name: string; revision: string }[]
}

function ffmpegRevision(): string {
  const core = dirname(createRequire(import.meta.url).resolve('playwright-core/package.json'))
  const { browsers } = JSON.parse(readFileSync(join(core, 'browsers.json'), 'utf8')) as Browsers
  return browsers.find(({ name }) => name === 'ffmpeg')?.revision ?? 'unknown'
}
