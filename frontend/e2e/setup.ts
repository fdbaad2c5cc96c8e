// Prepares `npm run test:e2e`: builds the frontend, and creates a new database with one user.

import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'

import { hasPlaywrightBrowser } from './browser.ts'
import {
  backendEnvironment,
  backendFolder,
  databaseFile,
  deployedSite,
  frontendFolder,
  mailFolder,
  user,
} from './environment.ts'
import { fail } from './fail.ts'

function requireBrowser(): void {
  const named = process.env['E2E_CHROMIUM']
  if (named ? existsSync(named) : hasPlaywrightBrowser()) return
  fail(
    named
      ? `E2E_CHROMIUM is not a file: ${named}`
      : 'the browser of the end-to-end tests is missing',
    'nox -s e2e-quick installs one; npx playwright install chromium downloads that of Playwright',
  )
}

function buildFrontend(): void {
  const build = spawnSync('npm', ['run', '--silent', 'build'], {
    cwd: frontendFolder,
    stdio: 'inherit',
  })
  if (build.status !== 0) fail('the frontend build failed', 'npm run build')
}

function requireBackend(): void {
  const django = spawnSync('python', ['-c', 'import django'], { cwd: backendFolder })
  if (django.status === 0) return
  fail(
    'the `python` on the PATH cannot import django, which the backend needs',
    'activate an environment with backend/requirements/django-5.2.txt installed',
  )
}

function manage(...command: string[]): void {
  const env = {
    ...process.env,
    ...backendEnvironment,
    DJANGO_SUPERUSER_EMAIL: user.email,
    DJANGO_SUPERUSER_PASSWORD: user.password,
  }
  const options = { cwd: backendFolder, env, stdio: 'inherit' } as const
  const { status } = spawnSync('python', ['manage.py', ...command], options)
  if (status !== 0) {
    fail(`python manage.py ${command.join(' ')} failed`, 'see its output above')
  }
}

function prepareDatabase(): void {
  rmSync(databaseFile, { force: true })
  rmSync(mailFolder, { force: true, recursive: true })
  manage('migrate', '--verbosity=0')
  manage('createsuperuser', '--noinput', '--verbosity=0')
}

requireBrowser()
if (deployedSite === undefined) {
  requireBackend()
  buildFrontend()
  prepareDatabase()
}
