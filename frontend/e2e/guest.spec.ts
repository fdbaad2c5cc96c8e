import { newAccount } from './account.ts'
import { linkInMail, linksInMails } from './mail.ts'
import { expectFieldError, expectPage, signIn, submitLogin } from './steps.ts'
import { expect, test } from './test.ts'

const refused = 'Wrong email or password, or your email address is not confirmed yet.'

test('guest is redirected to the login page @quick', async ({ page }) => {
  await page.goto('/profile')
  await expectPage(page, 'Sign in')
  await expect(page).toHaveURL('/login?next=%2Fprofile')
})

test('user registers, confirms the address and signs in @quick', async ({ page }) => {
  const account = newAccount()
  await page.goto('/login')
  await page.getByRole('link', { name: 'Create an account' }).click()
  await page.getByLabel('First name').fill('New')
  await page.getByLabel('Last name').fill('Comer')
  await page.getByLabel('Email').fill(account.email)
  await page.getByLabel('Password').fill(account.password)
  await page.getByRole('button', { name: 'Create account' }).click()
  await expectPage(page, 'Check your inbox')

  await page.goto(await linkInMail(account.email, '/verify-email'))
  await page.getByRole('button', { name: 'Confirm email address' }).click()
  await expectPage(page, 'Email address confirmed')
  await page.getByRole('link', { name: 'sign in' }).click()
  await submitLogin(page, account)
  await expectPage(page, 'Your projects')
})

test('unconfirmed user requests another mail @quick', async ({ page }) => {
  const account = newAccount()
  await page.goto('/register')
  await page.getByLabel('Email').fill(account.email)
  await page.getByLabel('Password').fill(account.password)
  await page.getByRole('button', { name: 'Create account' }).click()
  await expectPage(page, 'Check your inbox')

  await page.goto('/login')
  await submitLogin(page, account)
  await expect(page.getByRole('alert')).toHaveText(refused)
  await page.getByRole('link', { name: 'Resend confirmation email' }).click()
  await page.getByLabel('Email').fill(account.email)
  await page.getByRole('button', { name: 'Send link' }).click()
  await expectPage(page, 'Check your inbox')
  await linksInMails(account.email, '/verify-email', 2)
})

test('login after a wrong password @quick', async ({ page, newUser }) => {
  await page.goto('/login')
  await submitLogin(page, { ...newUser, password: 'not-the-password' })
  await expect(page.getByRole('alert')).toHaveText(refused)
  await expect(page.getByLabel('Password')).toBeFocused()
  await submitLogin(page, newUser)
  await expectPage(page, 'Your projects')
})

test('user resets a forgotten password @quick', async ({ page, newUser }) => {
  const password = 'another-horse-battery-staple'
  await page.goto('/login')
  await page.getByRole('link', { name: 'Forgot your password?' }).click()
  await page.getByLabel('Email').fill(newUser.email)
  await page.getByRole('button', { name: 'Send link' }).click()
  await expectPage(page, 'Check your inbox')

  const link = await linkInMail(newUser.email, '/reset-password')
  await page.goto(link)
  await page.getByLabel('New password').fill(password)
  await page.getByRole('button', { name: 'Change password' }).click()
  await expectPage(page, 'Password changed')
  await signIn(page, { ...newUser, password })
})

test('login opens the next page', async ({ page, newUser }) => {
  await page.goto('/profile?from=newsletter#details')
  await expectPage(page, 'Sign in')
  await submitLogin(page, newUser)
  await expectPage(page, 'Your profile')
  await expect(page).toHaveURL('/profile?from=newsletter#details')
})

test('login does not open another site', async ({ page, newUser }) => {
  await page.goto('/login?next=https://example.com/')
  await submitLogin(page, newUser)
  await expectPage(page, 'Your projects')
  await expect(page).toHaveURL('/projects')
})

test('registration of an existing account sends a mail', async ({ page, newUser }) => {
  await page.goto('/register')
  await page.getByLabel('Email').fill(newUser.email)
  await page.getByLabel('Password').fill('another-horse-battery-staple')
  await page.getByRole('button', { name: 'Create account' }).click()
  await expectPage(page, 'Check your inbox')
  await page.goto(await linkInMail(newUser.email, '/forgot-password'))
  await expectPage(page, 'Reset your password')
})

for (const path of ['/forgot-password', '/resend-verification']) {
  test(`${path} hides unknown addresses`, async ({ page }) => {
    await page.goto(path)
    await page.getByLabel('Email').fill(newAccount().email)
    await page.getByRole('button', { name: 'Send link' }).click()
    await expectPage(page, 'Check your inbox')
  })
}

test('weak password is marked', async ({ page, newUser }) => {
  await page.goto('/register')
  await page.getByLabel('Email').fill(newAccount().email)
  await page.getByLabel('Password').fill('password')
  await page.getByRole('button', { name: 'Create account' }).click()
  await expectFieldError(page, 'Password', 'too common')

  await page.goto('/forgot-password')
  await page.getByLabel('Email').fill(newUser.email)
  await page.getByRole('button', { name: 'Send link' }).click()
  await page.goto(await linkInMail(newUser.email, '/reset-password'))
  await page.getByLabel('New password').fill('12345')
  await page.getByRole('button', { name: 'Change password' }).click()
  await expectFieldError(page, 'New password', 'entirely numeric')
})

test('browser rejects an invalid address', async ({ page }) => {
  await page.goto('/register')
  await page.getByLabel('Email').fill('invalid')
  await page.getByLabel('Password').fill('correct-horse-battery-staple')
  await page.getByRole('button', { name: 'Create account' }).click()
  await expect(page.getByLabel('Email')).toBeFocused()
  await expectPage(page, 'Create an account')
})

test('link works once', async ({ page, newUser }) => {
  const link = await linkInMail(newUser.email, '/verify-email')
  await page.goto(link)
  await page.getByRole('button', { name: 'Confirm email address' }).click()
  await expect(page.getByRole('alert')).toContainText('This link has expired.')
  await page.getByRole('link', { name: 'Send a new link' }).click()
  await expect(page.getByRole('button', { name: 'Send link' })).toBeEnabled()
})

for (const path of ['/verify-email', '/verify-email#token=made-up']) {
  test(`invalid link ${path} shows an error`, async ({ page }) => {
    await page.goto(path)
    await page.getByRole('button', { name: 'Confirm email address' }).click()
    await expect(page.getByRole('alert')).toContainText('This link has expired.')
  })
}

test('forged reset link shows an error', async ({ page }) => {
  await page.goto('/reset-password#token=made-up')
  await page.getByLabel('New password').fill('correct-horse-battery-staple')
  await page.getByRole('button', { name: 'Change password' }).click()
  await expect(page.getByRole('alert')).toContainText('This link has expired.')
})

test('password guessing is throttled', async ({ page, newUser }) => {
  const wrong = { ...newUser, password: 'not-the-password' }
  const answers: number[] = []
  await page.goto('/login')
  // A new period of the rate limit may start during the loop, so the number of attempts varies.
  do {
    const answer = page.waitForResponse('**/auth/login/')
    await submitLogin(page, wrong)
    answers.push((await answer).status())
  } while (answers.at(-1) === 401)
  expect(answers.length).toBeGreaterThan(10)
  expect(answers.at(-1)).toBe(429)
  await submitLogin(page, newUser)
  await expect(page.getByRole('alert')).toContainText(/Too many attempts.* in \d minutes?\./)
  await expect(page.getByRole('alert')).toBeFocused()
})

test('unknown path links to the home page @quick', async ({ page }) => {
  await page.goto('/no/such/page')
  await expectPage(page, 'Page not found')
  await page.getByRole('link', { name: 'Go to the home page' }).click()
  await expectPage(page, 'Sign in')
})

test('health and version endpoints respond', async ({ page }) => {
  await page.goto('/login')
  for (const [path, key] of [
    ['/api/v1/health/', 'status'],
    ['/api/v1/health/ready/', 'checks'],
    ['/api/v1/health/workers/', 'died'],
    ['/api/v1/version/', 'release'],
  ] as const) {
    const answer = await page.evaluate(async (url) => (await fetch(url)).text(), path)
    expect(answer).toContain(`"${key}"`)
  }
})
