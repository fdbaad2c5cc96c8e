import { linkInMail } from './mail.ts'
import { expectFieldError, expectPage, signIn, submitLogin } from './steps.ts'
import { expect, test } from './test.ts'

test('user updates the profile @quick', async ({ page, newUser }) => {
  await signIn(page, newUser)
  await page.getByRole('link', { name: 'Profile' }).click()
  await page.getByLabel('First name').fill('Ada')
  await page.getByLabel('Phone').fill('+49 30 1234567')
  await page.getByRole('button', { name: 'Save changes' }).click()
  await expect(page.getByText('Changes saved.')).toBeVisible()

  await page.reload()
  await expect(page.getByRole('heading', { name: 'Ada One' })).toBeVisible()
  await expect(page.getByLabel('Phone')).toHaveValue('+49 30 1234567')
})

test('user removes the phone number', async ({ page, newUser }) => {
  await signIn(page, newUser)
  await page.goto('/profile')
  for (const phone of ['+49 30 1234567', '']) {
    await page.getByLabel('Phone').fill(phone)
    const answer = page.waitForResponse((response) => response.request().method() === 'PATCH')
    await page.getByRole('button', { name: 'Save changes' }).click()
    await answer
  }
  await page.reload()
  await expect(page.getByLabel('Phone')).toHaveValue('')
})

test('invalid phone number is marked', async ({ page, newUser }) => {
  await signIn(page, newUser)
  await page.goto('/profile')
  await page.getByLabel('Phone').fill('call me')
  await page.getByRole('button', { name: 'Save changes' }).click()
  await expectFieldError(page, 'Phone', 'valid value')
})

test('long name is marked', async ({ page, newUser }) => {
  await signIn(page, newUser)
  await page.goto('/profile')
  await page.getByLabel('Last name').fill('x'.repeat(151))
  await page.getByRole('button', { name: 'Save changes' }).click()
  await expectFieldError(page, 'Last name', 'too long')
})

test('user changes the password @quick', async ({ page, newUser }) => {
  const password = 'another-horse-battery-staple'
  await signIn(page, newUser)
  await page.goto('/profile')
  await page.getByLabel('Current password').fill(newUser.password)
  await page.getByLabel('New password').fill(password)
  await page.getByRole('button', { name: 'Change password' }).click()
  await expect(page.getByText('Password changed.')).toBeVisible()

  await page.getByRole('button', { name: 'Sign out' }).click()
  await expectPage(page, 'Sign in')
  await submitLogin(page, newUser)
  await expect(page.getByRole('alert')).toBeVisible()
  await submitLogin(page, { ...newUser, password })
  await expectPage(page, 'Your profile')
})

test('password change requires the current password', async ({ page, newUser }) => {
  await signIn(page, newUser)
  await page.goto('/profile')
  await page.getByLabel('Current password').fill('not-the-password')
  await page.getByLabel('New password').fill('another-horse-battery-staple')
  await page.getByRole('button', { name: 'Change password' }).click()
  await expectFieldError(page, 'Current password', 'password is wrong')
})

test('session survives a reload and ends with the logout @quick', async ({ page, newUser }) => {
  await signIn(page, newUser)
  await page.reload()
  await expectPage(page, 'Your projects')
  await page.getByRole('button', { name: 'Sign out' }).click()
  await expectPage(page, 'Sign in')
  await page.goto('/profile')
  await expectPage(page, 'Sign in')
})

test('user ends a session of another browser @quick', async ({ page, newUser, browser }) => {
  const other = await browser.newPage()
  await signIn(other, newUser)
  await signIn(page, newUser)
  await page.getByRole('link', { name: 'Sessions' }).click()
  await expect(page.getByRole('listitem')).toHaveCount(2)
  await page.getByRole('button', { name: 'End session' }).click()
  await expect(page.getByRole('listitem')).toHaveCount(1)
  await other.goto('/profile')
  await expectPage(other, 'Sign in')
  await other.close()
})

test('user signs out of other devices @quick', async ({ page, newUser, browser }) => {
  const other = await browser.newPage()
  await signIn(other, newUser)
  await signIn(page, newUser)
  await page.goto('/sessions')
  await page.getByRole('button', { name: 'Sign out of other devices' }).click()
  await expect(page.getByText('You are signed out on all other devices.')).toBeVisible()
  await expect(page.getByRole('listitem')).toHaveCount(1)
  await other.goto('/profile')
  await expectPage(other, 'Sign in')
  await other.close()
})

test('password reset ends the sessions of other browsers', async ({ page, newUser, browser }) => {
  const other = await browser.newPage()
  await signIn(other, newUser)
  await page.goto('/forgot-password')
  await page.getByLabel('Email').fill(newUser.email)
  await page.getByRole('button', { name: 'Send link' }).click()
  await page.goto(await linkInMail(newUser.email, '/reset-password'))
  await page.getByLabel('New password').fill('another-horse-battery-staple')
  await page.getByRole('button', { name: 'Change password' }).click()
  await expectPage(page, 'Password changed')
  await other.goto('/profile')
  await expectPage(other, 'Sign in')
  await other.close()
})

test('expired session returns to the page after login', async ({ page, context, newUser }) => {
  await signIn(page, newUser)
  await page.goto('/profile')
  await expectPage(page, 'Your profile')
  await context.clearCookies({ name: 'sessionid' })
  await page.getByRole('button', { name: 'Save changes' }).click()
  await expectPage(page, 'Sign in')
  await expect(page.getByRole('status')).toHaveText('Your session has expired. Sign in again.')
  await submitLogin(page, newUser)
  await expectPage(page, 'Your profile')
})
