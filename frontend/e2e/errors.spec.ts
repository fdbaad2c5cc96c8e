import type { Page } from '@playwright/test'

import { expectPage } from './steps.ts'
import { expect, test } from './test.ts'

const anyRequest = '**/api/**'

/** Fakes the status of all responses for a path. */
async function answerWith(page: Page, path: string, status: number): Promise<void> {
  await page.route(`**/api/v1/${path}`, (route) => route.fulfill({ status }))
}

test.use({ expectsErrors: true })

test('unreachable server shows an error with a retry', async ({ page }) => {
  await page.route(anyRequest, (route) => route.abort())
  await page.goto('/profile')
  await expectPage(page, 'Server unavailable')
  await page.unroute(anyRequest)
  await page.getByRole('button', { name: 'Try again' }).click()
  await expectPage(page, 'Sign in')
})

for (const [path, button, operation] of [
  ['/login', 'Sign in', 'auth/login/'],
  ['/register', 'Create account', 'auth/register/'],
  ['/forgot-password', 'Send link', 'auth/password-reset/'],
  ['/resend-verification', 'Send link', 'auth/verification/'],
  ['/verify-email', 'Confirm email address', 'auth/verification/confirm/'],
  ['/reset-password', 'Change password', 'auth/password-reset/confirm/'],
] as const) {
  test(`form of ${path} shows a server error`, async ({ page }) => {
    await answerWith(page, operation, 503)
    await page.goto(path)
    await expect(page.getByRole('button', { name: button })).toBeEnabled()
    for (const field of await page.locator('input[required]').all()) {
      await field.fill('someone@example.com')
    }
    await page.getByRole('button', { name: button }).click()
    await expect(page.getByRole('alert')).toContainText('The server is unavailable.')
    await expect(page.getByRole('alert')).toBeFocused()
  })
}

test.describe('user', () => {
  test.use({ as: 'user' })

  for (const [path, operation] of [
    ['/projects', 'projects/**'],
    ['/sessions', 'auth/sessions/**'],
  ] as const) {
    test(`list of ${path} loads after a retry`, async ({ page, world }) => {
      await world.client.post('/api/v1/projects/', { name: 'Apollo' })
      await answerWith(page, operation, 500)
      await page.goto(path)
      await expect(page.getByRole('alert')).toContainText('The server is unavailable.')
      await page.unrouteAll()
      await page.getByRole('button', { name: 'Try again' }).click()
      await expect(page.getByRole('listitem').first()).toBeVisible()
    })
  }

  test('profile form shows a server error', async ({ page }) => {
    await page.goto('/profile')
    await expectPage(page, 'Your profile')
    await answerWith(page, 'auth/me/', 500)
    await page.getByRole('button', { name: 'Save changes' }).click()
    await expect(page.getByRole('alert')).toContainText('The server is unavailable.')
  })

  test('failed logout shows an error', async ({ page }) => {
    await page.goto('/projects')
    await answerWith(page, 'auth/logout/', 500)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await expect(
      page.getByRole('alert').filter({ hasText: 'Could not sign you out.' }),
    ).toBeVisible()
  })

  test('wrong CSRF token is refreshed', async ({ page, context }) => {
    await page.goto('/profile')
    await expectPage(page, 'Your profile')
    await context.clearCookies({ name: 'csrftoken' })
    await page.getByRole('button', { name: 'Save changes' }).click()
    await expect(page.getByRole('alert')).toContainText('could not be verified')
    await page.getByRole('button', { name: 'Save changes' }).click()
    await expect(page.getByText('Changes saved.')).toBeVisible()
  })

  test('missing chunk reloads the page once', async ({ page }) => {
    let loads = 0
    page.on('load', () => (loads += 1))
    await page.goto('/projects')
    await page.route('**/assets/profile-page-*.js', (route) => route.fulfill({ status: 404 }))
    await page.getByRole('link', { name: 'Profile' }).click()
    await expectPage(page, 'Something went wrong')
    await expect.poll(() => loads).toBe(2)

    await page.unrouteAll()
    await page.getByRole('button', { name: 'Reload page' }).click()
    await expectPage(page, 'Your profile')
  })
})
