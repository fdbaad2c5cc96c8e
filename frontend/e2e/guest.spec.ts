import { somebody } from './account.ts'
import { linkInMail, linksInMails } from './mail.ts'
import { expectAtField, expectPage, signIn, submitLogin } from './steps.ts'
import { expect, test } from './test.ts'

const refused = 'Wrong email or password, or your email address is not confirmed yet.'

test('a guest who opens a page of users is led to the login page @quick', async ({ page }) => {
  await page.goto('/profile')
  await expectPage(page, 'Sign in')
  await expect(page).toHaveURL('/login?next=%2Fprofile')
})

test('somebody signs up, confirms the address by mail and signs in @quick', async ({ page }) => {
  const account = somebody()
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

test('an address that is not confirmed cannot sign in, but gets another mail @quick', async ({
  page,
}) => {
  const account = somebody()
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

test('a wrong password is refused, and the right one helps @quick', async ({ page, newcomer }) => {
  await page.goto('/login')
  await submitLogin(page, { ...newcomer, password: 'not-the-password' })
  await expect(page.getByRole('alert')).toHaveText(refused)
  await expect(page.getByLabel('Password')).toBeFocused()
  await submitLogin(page, newcomer)
  await expectPage(page, 'Your projects')
})

test('a forgotten password is replaced by mail @quick', async ({ page, newcomer }) => {
  const password = 'another-horse-battery-staple'
  await page.goto('/login')
  await page.getByRole('link', { name: 'Forgot your password?' }).click()
  await page.getByLabel('Email').fill(newcomer.email)
  await page.getByRole('button', { name: 'Send link' }).click()
  await expectPage(page, 'Check your inbox')

  const link = await linkInMail(newcomer.email, '/reset-password')
  await page.goto(link)
  await page.getByLabel('New password').fill(password)
  await page.getByRole('button', { name: 'Change password' }).click()
  await expectPage(page, 'Password changed')
  await signIn(page, { ...newcomer, password })
})

test('after the login, the user is on the page they wanted', async ({ page, newcomer }) => {
  await page.goto('/profile?from=newsletter#details')
  await expectPage(page, 'Sign in')
  await submitLogin(page, newcomer)
  await expectPage(page, 'Your profile')
  await expect(page).toHaveURL('/profile?from=newsletter#details')
})

test('the login leads to no other site', async ({ page, newcomer }) => {
  await page.goto('/login?next=https://example.com/')
  await submitLogin(page, newcomer)
  await expectPage(page, 'Your projects')
  await expect(page).toHaveURL('/projects')
})

test('who has an account already is told by mail alone', async ({ page, newcomer }) => {
  await page.goto('/register')
  await page.getByLabel('Email').fill(newcomer.email)
  await page.getByLabel('Password').fill('another-horse-battery-staple')
  await page.getByRole('button', { name: 'Create account' }).click()
  await expectPage(page, 'Check your inbox')
  await page.goto(await linkInMail(newcomer.email, '/forgot-password'))
  await expectPage(page, 'Reset your password')
})

for (const path of ['/forgot-password', '/resend-verification']) {
  test(`${path} answers the same for an address that nobody has`, async ({ page }) => {
    await page.goto(path)
    await page.getByLabel('Email').fill(somebody().email)
    await page.getByRole('button', { name: 'Send link' }).click()
    await expectPage(page, 'Check your inbox')
  })
}

test('a weak password is refused at its field, in both forms', async ({ page, newcomer }) => {
  await page.goto('/register')
  await page.getByLabel('Email').fill(somebody().email)
  await page.getByLabel('Password').fill('password')
  await page.getByRole('button', { name: 'Create account' }).click()
  await expectAtField(page, 'Password', 'too common')

  await page.goto('/forgot-password')
  await page.getByLabel('Email').fill(newcomer.email)
  await page.getByRole('button', { name: 'Send link' }).click()
  await page.goto(await linkInMail(newcomer.email, '/reset-password'))
  await page.getByLabel('New password').fill('12345')
  await page.getByRole('button', { name: 'Change password' }).click()
  await expectAtField(page, 'New password', 'entirely numeric')
})

test('an address that is none is refused by the browser, and sent nowhere', async ({ page }) => {
  await page.goto('/register')
  await page.getByLabel('Email').fill('nobody')
  await page.getByLabel('Password').fill('correct-horse-battery-staple')
  await page.getByRole('button', { name: 'Create account' }).click()
  await expect(page.getByLabel('Email')).toBeFocused()
  await expectPage(page, 'Create an account')
})

test('a link works once', async ({ page, newcomer }) => {
  const link = await linkInMail(newcomer.email, '/verify-email')
  await page.goto(link)
  await page.getByRole('button', { name: 'Confirm email address' }).click()
  await expect(page.getByRole('alert')).toContainText('This link has expired.')
  await page.getByRole('link', { name: 'Send a new link' }).click()
  await expect(page.getByRole('button', { name: 'Send link' })).toBeEnabled()
})

for (const path of ['/verify-email', '/verify-email#token=made-up']) {
  test(`the link ${path} is said to be of no use`, async ({ page }) => {
    await page.goto(path)
    await page.getByRole('button', { name: 'Confirm email address' }).click()
    await expect(page.getByRole('alert')).toContainText('This link has expired.')
  })
}

test('a made-up link to choose a password is said to be of no use', async ({ page }) => {
  await page.goto('/reset-password#token=made-up')
  await page.getByLabel('New password').fill('correct-horse-battery-staple')
  await page.getByRole('button', { name: 'Change password' }).click()
  await expect(page.getByRole('alert')).toContainText('This link has expired.')
})

test('whoever guesses passwords is told to wait', async ({ page, newcomer }) => {
  const wrong = { ...newcomer, password: 'not-the-password' }
  const answers: number[] = []
  await page.goto('/login')
  // The server counts by the clock: where its period ends meanwhile, it counts from the beginning.
  do {
    const answer = page.waitForResponse('**/auth/login/')
    await submitLogin(page, wrong)
    answers.push((await answer).status())
  } while (answers.at(-1) === 401)
  expect(answers.length).toBeGreaterThan(10)
  expect(answers.at(-1)).toBe(429)
  await submitLogin(page, newcomer)
  await expect(page.getByRole('alert')).toContainText(/Too many attempts.* in \d minutes?\./)
  await expect(page.getByRole('alert')).toBeFocused()
})

test('an address that does not exist leads back to the start page @quick', async ({ page }) => {
  await page.goto('/no/such/page')
  await expectPage(page, 'Page not found')
  await page.getByRole('link', { name: 'Go to the home page' }).click()
  await expectPage(page, 'Sign in')
})

test('the server tells how it is, and what it is', async ({ page }) => {
  await page.goto('/login')
  for (const [path, key] of [
    ['/api/v1/health/', 'status'],
    ['/api/v1/health/ready/', 'checks'],
    ['/api/v1/version/', 'release'],
  ] as const) {
    const answer = await page.evaluate(async (url) => (await fetch(url)).text(), path)
    expect(answer).toContain(`"${key}"`)
  }
})
