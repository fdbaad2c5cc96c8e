import type { Page } from '@playwright/test'

import { newAccount } from './account.ts'
import { answerSubscription } from './billing.ts' // billing
import { expectPage, submitLogin } from './steps.ts'
import { expect, type World } from './test.ts'

type Open = (page: Page, world: World) => Promise<void>

/** Opens a page and waits until its button is enabled. */
function formAt(path: string, button: string): Open {
  return async (page) => {
    await page.goto(path)
    await expect(page.getByRole('button', { name: button })).toBeEnabled()
  }
}

const guestPages: Record<string, Open> = {
  'login page': formAt('/login', 'Sign in'),
  'login page after a wrong password': async (page) => {
    await page.goto('/login')
    await submitLogin(page, newAccount())
    await expect(page.getByRole('alert')).toBeVisible()
  },
  'registration page': formAt('/register', 'Create account'),
  'registration page with a weak password': async (page) => {
    await page.goto('/register')
    await page.getByLabel('Email').fill(newAccount().email)
    await page.getByLabel('Password').fill('1234')
    await page.getByRole('button', { name: 'Create account' }).click()
    await expect(page.getByLabel('Password')).toBeFocused()
  },
  'resend confirmation page': formAt('/resend-verification', 'Send link'),
  'confirm address page': formAt('/verify-email#token=x', 'Confirm email address'),
  'forgot password page': formAt('/forgot-password', 'Send link'),
  'check inbox page': async (page) => {
    await page.goto('/forgot-password')
    await page.getByLabel('Email').fill(newAccount().email)
    await page.getByRole('button', { name: 'Send link' }).click()
    await expectPage(page, 'Check your inbox')
  },
  'reset password page': formAt('/reset-password#token=x', 'Change password'),
  'server unavailable page': async (page) => {
    await page.route('**/api/**', (route) => route.abort())
    await page.goto('/profile')
    await expectPage(page, 'Server unavailable')
  },
  'not found page': async (page) => {
    await page.goto('/no/such/page')
    await expectPage(page, 'Page not found')
  },
}

const userPages: Record<string, Open> = {
  'projects page': async (page, { client }) => {
    await client.post('/api/v1/projects/', { name: 'Apollo' })
    await page.goto('/projects')
    await page
      .getByRole('button', { name: /^Delete/ })
      .first()
      .click()
    await expect(page.getByRole('button', { name: /permanently/ })).toBeVisible()
  },
  'profile page': formAt('/profile', 'Save changes'),
  'sessions page': async (page) => {
    await page.goto('/sessions')
    await expect(page.getByText('This device')).toBeVisible()
  },
  // billing:
  'billing page without billing': async (page) => {
    await page.goto('/billing')
    await expect(page.getByText('Billing is not set up')).toBeVisible()
  },
  'billing page with a subscription': async (page) => {
    await answerSubscription(page, 'active')
    await page.goto('/billing')
    await expect(page.getByRole('button', { name: 'Manage subscription' })).toBeEnabled()
  },
  // :billing
}

/** All pages in all states, for guests and users. Each function opens a page and waits until it is complete. */
export const pagesOf = { guest: guestPages, user: userPages } as const

export const devices = {
  phone: { width: 360, height: 800 },
  desktop: { width: 1280, height: 800 },
} as const
