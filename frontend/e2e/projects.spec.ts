import { randomUUID } from 'node:crypto'

import { addProject, expectFieldError, expectPage, signIn, submitLogin } from './steps.ts'
import { expect, test } from './test.ts'

function someName(): string {
  return `Project ${randomUUID()}`
}

test.describe('user', () => {
  test.use({ as: 'user' })

  test('adds a project @quick', async ({ page }) => {
    const name = someName()
    await page.goto('/')
    await addProject(page, name)
    await expect(page.getByLabel('Project name')).toHaveValue('')
    await page.reload()
    await expect(page.getByRole('heading', { name })).toBeVisible()
  })

  test('deletes a project @quick', async ({ page }) => {
    const name = someName()
    await page.goto('/projects')
    await addProject(page, name)
    await page.getByRole('button', { name: `Delete ${name}` }).click()
    await page.getByRole('button', { name: `Delete permanently ${name}` }).click()
    await expect(page.getByRole('heading', { name })).toBeHidden()
  })

  test('cancels a deletion', async ({ page }) => {
    const name = someName()
    await page.goto('/projects')
    await addProject(page, name)
    await page.getByRole('button', { name: `Delete ${name}` }).click()
    await page.getByRole('button', { name: `Keep ${name}` }).click()
    await expect(page.getByRole('button', { name: `Delete permanently ${name}` })).toBeHidden()
    await expect(page.getByRole('heading', { name })).toBeVisible()
  })

  test('deletes a project that is already deleted', async ({ page, context }) => {
    const name = someName()
    await page.goto('/projects')
    await addProject(page, name)
    const other = await context.newPage()
    await other.goto('/projects')
    for (const tab of [other, page]) {
      await tab.getByRole('button', { name: `Delete ${name}` }).click()
      await tab.getByRole('button', { name: `Delete permanently ${name}` }).click()
      await expect(tab.getByRole('heading', { name })).toBeHidden()
    }
  })

  test('cannot add a project with an invalid name', async ({ page }) => {
    await page.goto('/projects')
    for (const [name, message] of [
      [' ', 'required'],
      ['x'.repeat(101), 'too long'],
    ] as const) {
      await page.getByLabel('Project name').fill(name)
      await page.getByRole('button', { name: 'Add project' }).click()
      await expectFieldError(page, 'Project name', message)
    }
  })

  test('sees markup in names as text', async ({ page }) => {
    const name = `<img src=x onerror=alert(1)> ' -- ${randomUUID()}`
    await page.goto('/projects')
    await addProject(page, name)
  })

  test('uses navigation and browser history', async ({ page }) => {
    await page.goto('/projects')
    await page.getByRole('link', { name: 'Profile' }).click()
    await expectPage(page, 'Your profile')
    await page.getByRole('link', { name: 'Sessions' }).click()
    await expectPage(page, 'Your sessions')
    await page.goBack()
    await expectPage(page, 'Your profile')
    await page.goForward()
    await expectPage(page, 'Your sessions')
    await expect(page).toHaveTitle(/^Your sessions · /)
  })

  test('skips the login page', async ({ page }) => {
    await page.goto('/login')
    await expectPage(page, 'Your projects')
  })
})

test('new user has no projects', async ({ page, newUser }) => {
  await signIn(page, newUser)
  await expect(page.getByText('No projects yet.')).toBeVisible()
})

test('list loads more pages', async ({ page, newUser }) => {
  await signIn(page, newUser)
  for (const number of Array.from({ length: 12 }, (_, index) => String(index + 1))) {
    await addProject(page, `Project number ${number}.`)
  }
  await page.reload()
  await expect(page.getByRole('listitem')).toHaveCount(10)
  await page.getByRole('button', { name: 'Show more' }).click()
  await expect(page.getByRole('listitem')).toHaveCount(12)
  await expect(page.getByRole('button', { name: 'Show more' })).toBeHidden()
})

test('projects of other users are hidden', async ({ page, newUser, world }) => {
  const name = someName()
  await world.client.post('/api/v1/projects/', { name })
  await signIn(page, newUser)
  await expect(page.getByText('No projects yet.')).toBeVisible()
})

test('keyboard navigation @quick', async ({ page, newUser }) => {
  await page.goto('/login')
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeFocused()
  await page.keyboard.press('Tab')
  await page.keyboard.type(newUser.email)
  await page.keyboard.press('Tab')
  await page.keyboard.type(newUser.password)
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeEnabled()
  await page.keyboard.press('Enter')

  await expect(page.getByRole('heading', { name: 'Your projects' })).toBeFocused()
  await page.keyboard.press('Tab')
  await page.keyboard.type('Apollo')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: 'Apollo' })).toBeVisible()
  await expect(page.getByLabel('Project name')).toBeFocused()
  await expect(page.getByRole('button', { name: 'Add project' })).toBeEnabled()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  await expect(page.getByRole('button', { name: 'Delete Apollo' })).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('button', { name: 'Delete permanently Apollo' })).toBeEnabled()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await expect(page.getByText('No projects yet.')).toBeVisible()

  await page.getByRole('button', { name: 'Sign out' }).focus()
  await page.keyboard.press('Enter')
  await expectPage(page, 'Sign in')
})

test.describe('on a phone', () => {
  test.use({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true })

  test('user signs in, adds a project and signs out @quick', async ({ page, newUser }) => {
    await page.goto('/projects')
    await submitLogin(page, newUser)
    await expectPage(page, 'Your projects')
    await addProject(page, 'Apollo')
    await page.getByRole('link', { name: 'Profile' }).tap()
    await expectPage(page, 'Your profile')
    await page.getByRole('link', { name: 'Sessions' }).tap()
    await expect(page.getByText('This device')).toBeVisible()
    await page.getByRole('button', { name: 'Sign out', exact: true }).tap()
    await expectPage(page, 'Sign in')
  })
})
