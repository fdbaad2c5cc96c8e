import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { loadEnvFile } from 'node:process'

import { fail } from './fail.ts'

export const frontendFolder = resolve(import.meta.dirname, '..')
export const backendFolder = resolve(frontendFolder, '../backend')

// A variable that is already there is not replaced: the environment wins over one's own file, and that over the example.
for (const name of ['.env.e2e', '.env.e2e.example']) {
  const file = resolve(frontendFolder, name)
  if (existsSync(file)) loadEnvFile(file)
}

function required(name: string): string {
  const value = process.env[name]
  if (value) return value
  return fail(`${name} is empty`, 'set it in frontend/.env.e2e, as in .env.e2e.example')
}

function requiredPort(name: string): string {
  const port = required(name)
  if (/^\d+$/.test(port) && Number(port) < 65536) return port
  return fail(`${name} is not a port: ${port}`, 'use a number from 1 to 65535')
}

/** The address of a deployed site, if the tests are to run against one instead of servers of their own. */
export const deployedSite = process.env['PLAYWRIGHT_BASE_URL']

export const ports = {
  E2E_BACKEND_PORT: requiredPort('E2E_BACKEND_PORT'),
  E2E_FRONTEND_PORT: requiredPort('E2E_FRONTEND_PORT'),
}

/** Where the tests find the site. */
export const origin = deployedSite ?? `http://127.0.0.1:${ports.E2E_FRONTEND_PORT}`

/** Who walks the smoke test, and exists before it. */
export const user = {
  email: required('E2E_USER_EMAIL'),
  password: required('E2E_USER_PASSWORD'),
}

export const databaseFile = resolve(frontendFolder, required('E2E_DATABASE'))
export const mailFolder = resolve(frontendFolder, 'e2e-mails')
export const backendLog = resolve(frontendFolder, 'e2e-backend.log')

/** What the backend needs in its environment, in the set-up as in the tests. */
export const backendEnvironment = {
  // Who wants to write waits for its turn, where SQLite would otherwise refuse at once.
  DATABASE_URL: `sqlite:///${databaseFile}?transaction_mode=IMMEDIATE`,
  DJANGO_SETTINGS_MODULE: 'config.settings.test',
  EMAIL_URL: `file://${mailFolder}`,
  PUBLIC_URL: origin,
  // Each test says from where it comes, so that attempts are not counted together.
  TRUSTED_PROXIES: '1',
}
