import { expect, test } from '@playwright/test'

import { expectLoginPage, expectProfilePage, login } from './login.ts'

const anyRequest = '**/api/**'

test('a server that cannot be reached is explained, and a retry brings the page', async ({
  page,
}) => {
  await page.route(anyRequest, (route) => route.abort())
  await page.goto('/profile')
  await expect(page.getByRole('heading', { name: 'We cannot reach the server' })).toBeVisible()

  await page.unroute(anyRequest)
  await page.getByRole('button', { name: 'Try again' }).click()
  await expectLoginPage(page)
})

test('a server that fails is explained where the user is', async ({ page }) => {
  await login(page)
  await page.route(anyRequest, (route) => route.fulfill({ status: 503 }))
  await page.getByRole('button', { name: 'Refresh' }).click()
  await expect(page.getByRole('alert').filter({ hasText: 'out of date' })).toBeVisible()

  await page.unroute(anyRequest)
  await page.getByRole('button', { name: 'Refresh' }).click()
  await expect(page.getByRole('alert').filter({ hasText: 'out of date' })).toBeHidden()
  await expectProfilePage(page)
})

test('an address that does not exist leads back to the start page', async ({ page }) => {
  await page.goto('/no/such/page')
  await expect(page.getByRole('heading', { name: 'Page not found' })).toBeVisible()
  await page.getByRole('link', { name: 'Go to the start page' }).click()
  await expectLoginPage(page)
})
