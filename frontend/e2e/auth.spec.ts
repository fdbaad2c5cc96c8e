import { expect, test } from '@playwright/test'

import { user } from './environment.ts'
import { expectLoginPage, expectProfilePage, login, submitLogin } from './login.ts'

test('a guest who opens the profile is led to the login page @quick', async ({ page }) => {
  await page.goto('/profile')
  await expectLoginPage(page)
  await expect(page).toHaveURL('/login?next=%2Fprofile')
})

test('a user signs in and sees their profile @quick', async ({ page }) => {
  await page.goto('/')
  await expectLoginPage(page)
  await submitLogin(page)
  await expectProfilePage(page)
})

test('a wrong password is refused, and the right one helps @quick', async ({ page }) => {
  await page.goto('/login')
  await submitLogin(page, 'not-the-password')
  await expect(page.getByRole('alert')).toHaveText('The email address or the password is wrong.')
  await expect(page.getByLabel('Password')).toBeFocused()
  await submitLogin(page)
  await expectProfilePage(page)
})

test('a session lasts over a reload and ends with the logout', async ({ page }) => {
  await login(page)
  await page.reload()
  await expectProfilePage(page)

  await page.getByRole('button', { name: 'Sign out' }).click()
  await expectLoginPage(page)
  await page.goto('/profile')
  await expectLoginPage(page)
})

test('after the login, the user is on the page they wanted', async ({ page }) => {
  await page.goto('/profile?from=newsletter#details')
  await expectLoginPage(page)
  await submitLogin(page)
  await expectProfilePage(page)
  await expect(page).toHaveURL('/profile?from=newsletter#details')
})

test('an expired session is explained, and the next one continues where it ended', async ({
  page,
  context,
}) => {
  await login(page)
  await context.clearCookies()
  await page.getByRole('button', { name: 'Refresh' }).click()
  await expectLoginPage(page)
  await expect(page.getByRole('status')).toHaveText(
    'Your session has expired. Please sign in again.',
  )
  await submitLogin(page)
  await expectProfilePage(page)
})

test('the whole way can be walked with the keyboard alone', async ({ page }) => {
  await page.goto('/login')
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeFocused()
  await page.keyboard.press('Tab')
  await page.keyboard.type(user.email)
  await page.keyboard.press('Tab')
  await page.keyboard.type(user.password)
  await page.keyboard.press('Tab')
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeFocused()
  await page.keyboard.press('Enter')

  await expect(page.getByRole('heading', { name: 'Your profile' })).toBeFocused()
  await page.keyboard.press('Shift+Tab')
  await expect(page.getByRole('button', { name: 'Sign out' })).toBeFocused()
  await page.keyboard.press('Enter')
  await expectLoginPage(page)
})
