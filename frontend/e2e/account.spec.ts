import { linkInMail } from './mail.ts'
import { expectAtField, expectPage, signIn, submitLogin } from './steps.ts'
import { expect, test } from './test.ts'

test('a user changes what we know of them, and it stays @quick', async ({ page, newcomer }) => {
  await signIn(page, newcomer)
  await page.getByRole('link', { name: 'Profile' }).click()
  await page.getByLabel('First name').fill('Ada')
  await page.getByLabel('Phone').fill('+49 30 1234567')
  await page.getByRole('button', { name: 'Save changes' }).click()
  await expect(page.getByText('Changes saved.')).toBeVisible()

  await page.reload()
  await expect(page.getByRole('heading', { name: 'Ada One' })).toBeVisible()
  await expect(page.getByLabel('Phone')).toHaveValue('+49 30 1234567')
})

test('a phone number can be taken away again', async ({ page, newcomer }) => {
  await signIn(page, newcomer)
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

test('a phone number that is none is refused at its field', async ({ page, newcomer }) => {
  await signIn(page, newcomer)
  await page.goto('/profile')
  await page.getByLabel('Phone').fill('call me')
  await page.getByRole('button', { name: 'Save changes' }).click()
  await expectAtField(page, 'Phone', 'valid value')
})

test('a name that is too long is refused at its field', async ({ page, newcomer }) => {
  await signIn(page, newcomer)
  await page.goto('/profile')
  await page.getByLabel('Last name').fill('x'.repeat(151))
  await page.getByRole('button', { name: 'Save changes' }).click()
  await expectAtField(page, 'Last name', 'too long')
})

test('a user changes the password, and only the new one is right @quick', async ({
  page,
  newcomer,
}) => {
  const password = 'another-horse-battery-staple'
  await signIn(page, newcomer)
  await page.goto('/profile')
  await page.getByLabel('Current password').fill(newcomer.password)
  await page.getByLabel('New password').fill(password)
  await page.getByRole('button', { name: 'Change password' }).click()
  await expect(page.getByText('Password changed.')).toBeVisible()

  await page.getByRole('button', { name: 'Sign out' }).click()
  await expectPage(page, 'Sign in')
  await submitLogin(page, newcomer)
  await expect(page.getByRole('alert')).toBeVisible()
  await submitLogin(page, { ...newcomer, password })
  await expectPage(page, 'Your profile')
})

test('the password cannot be changed without the current one', async ({ page, newcomer }) => {
  await signIn(page, newcomer)
  await page.goto('/profile')
  await page.getByLabel('Current password').fill('not-the-password')
  await page.getByLabel('New password').fill('another-horse-battery-staple')
  await page.getByRole('button', { name: 'Change password' }).click()
  await expectAtField(page, 'Current password', 'password is wrong')
})

test('a session lasts over a reload and ends with the logout @quick', async ({
  page,
  newcomer,
}) => {
  await signIn(page, newcomer)
  await page.reload()
  await expectPage(page, 'Your projects')
  await page.getByRole('button', { name: 'Sign out' }).click()
  await expectPage(page, 'Sign in')
  await page.goto('/profile')
  await expectPage(page, 'Sign in')
})

test('a user ends the session of another browser @quick', async ({ page, newcomer, browser }) => {
  const other = await browser.newPage()
  await signIn(other, newcomer)
  await signIn(page, newcomer)
  await page.getByRole('link', { name: 'Sessions' }).click()
  await expect(page.getByRole('listitem')).toHaveCount(2)
  await page.getByRole('button', { name: 'End session' }).click()
  await expect(page.getByRole('listitem')).toHaveCount(1)
  await other.goto('/profile')
  await expectPage(other, 'Sign in')
  await other.close()
})

test('a user signs out everywhere else @quick', async ({ page, newcomer, browser }) => {
  const other = await browser.newPage()
  await signIn(other, newcomer)
  await signIn(page, newcomer)
  await page.goto('/sessions')
  await page.getByRole('button', { name: 'Sign out of other devices' }).click()
  await expect(page.getByText('You are signed out on all other devices.')).toBeVisible()
  await expect(page.getByRole('listitem')).toHaveCount(1)
  await other.goto('/profile')
  await expectPage(other, 'Sign in')
  await other.close()
})

test('a reset of the password ends the sessions of other browsers', async ({
  page,
  newcomer,
  browser,
}) => {
  const other = await browser.newPage()
  await signIn(other, newcomer)
  await page.goto('/forgot-password')
  await page.getByLabel('Email').fill(newcomer.email)
  await page.getByRole('button', { name: 'Send link' }).click()
  await page.goto(await linkInMail(newcomer.email, '/reset-password'))
  await page.getByLabel('New password').fill('another-horse-battery-staple')
  await page.getByRole('button', { name: 'Change password' }).click()
  await expectPage(page, 'Password changed')
  await other.goto('/profile')
  await expectPage(other, 'Sign in')
  await other.close()
})

test('an expired session is explained, and the next one continues where it ended', async ({
  page,
  context,
  newcomer,
}) => {
  await signIn(page, newcomer)
  await page.goto('/profile')
  await expectPage(page, 'Your profile')
  await context.clearCookies({ name: 'sessionid' })
  await page.getByRole('button', { name: 'Save changes' }).click()
  await expectPage(page, 'Sign in')
  await expect(page.getByRole('status')).toHaveText('Your session has expired. Sign in again.')
  await submitLogin(page, newcomer)
  await expectPage(page, 'Your profile')
})
