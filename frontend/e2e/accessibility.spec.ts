import { AxeBuilder } from '@axe-core/playwright'
import { expect, test, type Page } from '@playwright/test'

import { expectLoginPage, login, submitLogin } from './login.ts'

const pages: Record<string, (page: Page) => Promise<void>> = {
  'the login page': async (page) => {
    await page.goto('/login')
    await expectLoginPage(page)
    await expect(page.getByRole('button', { name: 'Sign in' })).toBeEnabled()
  },
  'the login page after a wrong password': async (page) => {
    await page.goto('/login')
    await submitLogin(page, 'not-the-password')
    await expect(page.getByRole('alert')).toBeVisible()
  },
  'the profile': login,
  'the page of an unreachable server': async (page) => {
    await page.route('**/api/**', (route) => route.abort())
    await page.goto('/profile')
    await expect(page.getByRole('button', { name: 'Try again' })).toBeEnabled()
  },
  'the page for an unknown address': async (page) => {
    await page.goto('/no/such/page')
    await expect(page.getByRole('heading', { name: 'Page not found' })).toBeVisible()
  },
}

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(`in ${colorScheme} colours`, () => {
    // Colours under way from one to the other would be judged as they are at that moment.
    test.use({ colorScheme, contextOptions: { reducedMotion: 'reduce' } })

    for (const [name, open] of Object.entries(pages)) {
      test(`${name} has no accessibility fault`, async ({ page }) => {
        await open(page)
        const { violations } = await new AxeBuilder({ page }).analyze()
        expect(
          violations.map(({ id, help, nodes }) => ({ id, help, html: nodes[0]?.html })),
        ).toEqual([])
      })
    }
  })
}
