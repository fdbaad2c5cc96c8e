import { expect, test } from '@playwright/test'

import { user } from './environment.ts'
import { expectPage, signIn } from './steps.ts'

// Safe for production sites: it writes only the session, and ends it.
test('user signs in, opens the profile and signs out @smoke', async ({ page }) => {
  const errors: Error[] = []
  page.on('pageerror', (error) => errors.push(error))

  await signIn(page, user)
  await page.goto('/profile')
  await expectPage(page, 'Your profile')
  await expect(page.getByText(user.email)).toBeVisible()

  await page.getByRole('button', { name: 'Sign out' }).click()
  await expectPage(page, 'Sign in')
  await page.goto('/profile')
  await expectPage(page, 'Sign in')
  expect(errors).toEqual([])
})
