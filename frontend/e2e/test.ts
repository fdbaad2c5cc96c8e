import { expect, test as base, type BrowserContext, type ConsoleMessage } from '@playwright/test'

import { Client, clientHeaders, newAccount, type Account } from './account.ts'

type StorageState = Awaited<ReturnType<BrowserContext['storageState']>>

export interface World {
  account: Account
  /** An API client that is logged in with the account. */
  client: Client
  storageState: StorageState
}

interface Options {
  /** Whether the pages are opened by a guest or by the user of `world`. */
  as: 'guest' | 'user'
  /** Whether errors in the console are expected. */
  expectsErrors: boolean
}

interface Fixtures {
  /** A confirmed account for this test only. */
  newUser: Account
  watch: undefined
}

/** The browser logs 4xx responses of the API to the console. These are not errors of the page. */
function isRefusal(message: ConsoleMessage): boolean {
  return (
    /^Failed to load resource: .* status of 4\d\d/.test(message.text()) &&
    message.location().url.includes('/api/')
  )
}

export const test = base.extend<Options & Fixtures, { world: World }>({
  as: ['guest', { option: true }],
  expectsErrors: [false, { option: true }],

  world: [
    async ({ playwright }, use) => {
      const account = newAccount()
      const client = await Client.open(playwright.request)
      await client.register(account)
      await client.login(account)
      await use({ account, client, storageState: await client.storageState() })
      await client.dispose()
    },
    { scope: 'worker' },
  ],

  newUser: async ({ playwright }, use) => {
    const account = newAccount()
    const client = await Client.open(playwright.request)
    await client.register(account)
    await client.dispose()
    await use(account)
  },

  storageState: async ({ as, world }, use) => {
    await use(as === 'user' ? world.storageState : { cookies: [], origins: [] })
  },

  extraHTTPHeaders: async ({}, use) => {
    await use(clientHeaders())
  },

  watch: [
    async ({ context, expectsErrors }, use, testInfo) => {
      const visits = new Set<string>()
      const errors: string[] = []
      context.on('page', (page) => {
        page.on('framenavigated', (frame) => visits.add(`PAGE ${new URL(frame.url()).pathname}`))
      })
      context.on('request', (request) => {
        visits.add(`${request.method()} ${new URL(request.url()).pathname}`)
      })
      context.on('console', (message) => {
        if (message.type() === 'error' && !isRefusal(message)) errors.push(message.text())
      })
      context.on('weberror', (error) => errors.push(error.error().message))
      await use(undefined)
      const body = JSON.stringify([...visits])
      await testInfo.attach('visits', { body, contentType: 'application/json' })
      if (!expectsErrors) expect(errors, 'errors in the console').toEqual([])
    },
    { auto: true },
  ],
})

export { expect }
