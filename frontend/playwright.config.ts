import { defineConfig, devices } from '@playwright/test'

import { canRecordVideo, launchOptions } from './e2e/browser.ts'
import {
  backendEnvironment,
  backendFolder,
  backendLog,
  deployedSite,
  origin,
  ports,
} from './e2e/environment.ts'

const isCi = Boolean(process.env['CI'])
const backend = `http://127.0.0.1:${ports.E2E_BACKEND_PORT}`

// Flaky tests fail the nightly run only. Other runs list them (e2e/reporters/flaky.ts).
const isNightly = process.env['GITHUB_EVENT_NAME'] === 'schedule'
const flaky = process.env['PLAYWRIGHT_FLAKY'] ?? (isNightly ? 'fail' : 'pass')

const servers = [
  {
    name: 'backend',
    command: `python manage.py runserver --noreload ${backend.replace('http://', '')} > "${backendLog}" 2>&1`,
    cwd: backendFolder,
    env: backendEnvironment,
    url: `${backend}/api/v1/health/`,
    reuseExistingServer: false,
  },
  {
    name: 'frontend',
    command: `npm run preview -- --strictPort --port ${ports.E2E_FRONTEND_PORT}`,
    env: { BACKEND_PORT: ports.E2E_BACKEND_PORT },
    url: origin,
    reuseExistingServer: false,
  },
]

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  fullyParallel: true,
  forbidOnly: isCi,
  workers: isCi ? 2 : '50%',
  retries: isCi ? 2 : 0,
  failOnFlakyTests: flaky === 'fail',
  maxFailures: 5,
  timeout: 30_000,
  // Long enough for a busy machine; it does not slow down successful assertions.
  expect: { timeout: 15_000 },

  reporter: [
    ['html', { outputFolder: 'playwright-report', open: 'never' }],
    ['list'],
    ['json', { outputFile: 'test-results.json' }],
    ['./e2e/reporters/backend-log.ts'],
    ['./e2e/reporters/flaky.ts'],
    ['./e2e/reporters/visits.ts'],
  ],

  use: {
    baseURL: origin,
    launchOptions: launchOptions(),
    trace: 'on-first-retry',
    video: canRecordVideo() ? 'retain-on-failure' : 'off',
    screenshot: 'only-on-failure',
  },

  projects: [
    { name: 'quick', grep: /@quick/, use: { ...devices['Desktop Chrome'] } },
    { name: 'full', grepInvert: /@smoke/, use: { ...devices['Desktop Chrome'] } },
    { name: 'screenshots', testMatch: 'screenshots.ts', use: { ...devices['Desktop Chrome'] } },
    { name: 'smoke', grep: /@smoke/, use: { ...devices['Desktop Chrome'] } },
  ],

  ...(deployedSite === undefined && { webServer: servers }),
})
