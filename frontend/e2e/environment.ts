import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { loadEnvFile } from 'node:process'

import { fail } from './fail.ts'

export const frontendFolder = resolve(import.meta.dirname, '..')
export const backendFolder = resolve(frontendFolder, '../backend')

// loadEnvFile keeps existing variables: the environment overrides .env.e2e, which overrides the example.
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

/** The origin of a deployed site to test, instead of local servers. */
export const deployedSite = process.env['PLAYWRIGHT_BASE_URL']

export const ports = {
  E2E_BACKEND_PORT: requiredPort('E2E_BACKEND_PORT'),
  E2E_FRONTEND_PORT: requiredPort('E2E_FRONTEND_PORT'),
}

/** The origin of the tested site. */
export const origin = deployedSite ?? `http://127.0.0.1:${ports.E2E_FRONTEND_PORT}`

/** The user of the smoke test, who must exist. */
export const user = {
  email: required('E2E_USER_EMAIL'),
  password: required('E2E_USER_PASSWORD'),
}

export const databaseFile = resolve(frontendFolder, required('E2E_DATABASE'))
export const mailFolder = resolve(frontendFolder, 'e2e-mails')
export const backendLog = resolve(frontendFolder, 'e2e-backend.log')

/** Environment variables of the backend, for the setup and the tests. */
export const backendEnvironment = {
  // With deferred transactions, SQLite fails at once if two connections write.
  DATABASE_URL: `sqlite:///${databaseFile}?transaction_mode=IMMEDIATE`,
  DJANGO_SETTINGS_MODULE: 'config.settings.test',
  EMAIL_URL: `file://${mailFolder}`,
  PUBLIC_URL: origin,
  // Tests send their own client address, so that rate limits count them separately.
  TRUSTED_PROXIES: '1',
}
