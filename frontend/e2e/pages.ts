import type { Page } from '@playwright/test'

import { somebody } from './account.ts'
import { answerSubscription } from './billing.ts' // billing
import { expectPage, submitLogin } from './steps.ts'
import { expect, type World } from './test.ts'

type Open = (page: Page, world: World) => Promise<void>

/** Opens a page, and waits for its form to be ready. */
function formAt(path: string, button: string): Open {
  return async (page) => {
    await page.goto(path)
    await expect(page.getByRole('button', { name: button })).toBeEnabled()
  }
}

const guestPages: Record<string, Open> = {
  'the login page': formAt('/login', 'Sign in'),
  'the login page after a wrong password': async (page) => {
    await page.goto('/login')
    await submitLogin(page, somebody())
    await expect(page.getByRole('alert')).toBeVisible()
  },
  'the registration': formAt('/register', 'Create account'),
  'the registration with a weak password': async (page) => {
    await page.goto('/register')
    await page.getByLabel('Email').fill(somebody().email)
    await page.getByLabel('Password').fill('1234')
    await page.getByRole('button', { name: 'Create account' }).click()
    await expect(page.getByLabel('Password')).toBeFocused()
  },
  'the request for another mail': formAt('/resend-verification', 'Send link'),
  'the confirmation of an address': formAt('/verify-email#token=x', 'Confirm email address'),
  'the request for another password': formAt('/forgot-password', 'Send link'),
  'the page that asks to look into the mail': async (page) => {
    await page.goto('/forgot-password')
    await page.getByLabel('Email').fill(somebody().email)
    await page.getByRole('button', { name: 'Send link' }).click()
    await expectPage(page, 'Check your inbox')
  },
  'the choice of another password': formAt('/reset-password#token=x', 'Change password'),
  'the page of an unreachable server': async (page) => {
    await page.route('**/api/**', (route) => route.abort())
    await page.goto('/profile')
    await expectPage(page, 'Cannot reach the server')
  },
  'the page for an unknown address': async (page) => {
    await page.goto('/no/such/page')
    await expectPage(page, 'Page not found')
  },
}

const userPages: Record<string, Open> = {
  'the projects': async (page, { client }) => {
    await client.post('/api/v1/projects/', { name: 'Apollo' })
    await page.goto('/projects')
    await page
      .getByRole('button', { name: /^Delete/ })
      .first()
      .click()
    await expect(page.getByRole('button', { name: /permanently/ })).toBeVisible()
  },
  'the profile': formAt('/profile', 'Save changes'),
  'the sessions': async (page) => {
    await page.goto('/sessions')
    await expect(page.getByText('This device')).toBeVisible()
  },
  // billing:
  'the billing that is not set up': async (page) => {
    await page.goto('/billing')
    await expect(page.getByText('Billing is not set up')).toBeVisible()
  },
  'the subscription': async (page) => {
    await answerSubscription(page, 'active')
    await page.goto('/billing')
    await expect(page.getByRole('button', { name: 'Manage subscription' })).toBeEnabled()
  },
  // :billing
}

/** What everybody sees, and what only users see: how to get there, and when it is whole. */
export const pagesOf = { guest: guestPages, user: userPages } as const

export const devices = {
  phone: { width: 360, height: 800 },
  desktop: { width: 1280, height: 800 },
} as const
