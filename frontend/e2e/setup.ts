// Makes the machine ready for `npm run test:e2e`: browser, built frontend, fresh database with one user, no mails.

import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'

import { hasPlaywrightBrowser, systemBrowser } from './browser.ts'
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

function prepareBrowser(): void {
  const chosen = process.env['E2E_CHROMIUM']
  if (chosen) {
    if (existsSync(chosen)) return
    fail(`E2E_CHROMIUM names no file: ${chosen}`, 'correct it, or unset it to use another browser')
  }
  if (hasPlaywrightBrowser() || downloadBrowser()) return
  const instead = systemBrowser()
  if (instead === undefined) {
    fail(
      'no browser for the end-to-end tests: the download failed, and there is no chromium on the PATH',
      'npx playwright install --with-deps chromium, or apt-get install chromium',
    )
  }
  console.log(`Playwright's browser cannot be downloaded here; the tests use ${instead}`)
}

function downloadBrowser(): boolean {
  console.log("Downloading Playwright's browser …")
  // There are five attempts: without an answer from the network, they shall not take minutes.
  const env = { PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT: '2500', ...process.env }
  spawnSync('npx', ['playwright', 'install', 'chromium'], {
    cwd: frontendFolder,
    env,
    stdio: 'ignore',
  })
  return hasPlaywrightBrowser()
}

function buildFrontend(): void {
  const build = spawnSync('npm', ['run', '--silent', 'build'], {
    cwd: frontendFolder,
    stdio: 'inherit',
  })
  if (build.status !== 0) fail('the frontend cannot be built', 'npm run build')
}

function requireBackend(): void {
  const django = spawnSync('python', ['-c', 'import django'], { cwd: backendFolder })
  if (django.status === 0) return
  fail(
    'the `python` on the PATH cannot import django, which the backend of the tests needs',
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
    fail(`python manage.py ${command.join(' ')} failed`, 'its own message stands above')
  }
}

function prepareDatabase(): void {
  rmSync(databaseFile, { force: true })
  rmSync(mailFolder, { force: true, recursive: true })
  manage('migrate', '--verbosity=0')
  manage('createsuperuser', '--noinput', '--verbosity=0')
}

prepareBrowser()
if (deployedSite === undefined) {
  requireBackend()
  buildFrontend()
  prepareDatabase()
}
