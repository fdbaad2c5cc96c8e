import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from '@playwright/test'

import { devices, pagesOf } from './pages.ts'
import { expect, test } from './test.ts'

async function expectAccessible(page: Page): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    // Reduced motion disables colour transitions, which would change the measured contrast.
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    const { violations } = await new AxeBuilder({ page }).analyze()
    const found = violations.map(({ id, help, nodes }) => ({ id, help, html: nodes[0]?.html }))
    expect(found, `in ${colorScheme} colours`).toEqual([])
  }
}

async function expectNoHorizontalOverflow(page: Page): Promise<void> {
  const overflow = () =>
    page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement
      return scrollWidth - clientWidth
    })
  await expect.poll(overflow).toBeLessThanOrEqual(0)
}

test.use({ expectsErrors: true })

for (const [device, viewport] of Object.entries(devices)) {
  test.describe(`on a ${device}`, () => {
    test.use({ viewport })

    for (const as of ['guest', 'user'] as const) {
      test.describe(`for a ${as}`, () => {
        test.use({ as })

        for (const [name, open] of Object.entries(pagesOf[as])) {
          test(`${name} is accessible and fits the screen`, async ({ page, world }) => {
            await open(page, world)
            await expectAccessible(page)
            await expectNoHorizontalOverflow(page)
          })
        }
      })
    }
  })
}
