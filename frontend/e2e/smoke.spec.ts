import { expect, test } from '@playwright/test'

import { expectLoginPage, expectProfilePage, login } from './login.ts'

// It may run on a site that people use: nothing is written but the session, and that ends here.
test('a user signs in, sees their profile and signs out @smoke', async ({ page }) => {
  const errors: Error[] = []
  page.on('pageerror', (error) => errors.push(error))

  await login(page)
  await page.reload()
  await expectProfilePage(page)

  await page.getByRole('button', { name: 'Sign out' }).click()
  await expectLoginPage(page)
  await page.goto('/profile')
  await expectLoginPage(page)
  expect(errors).toEqual([])
})
