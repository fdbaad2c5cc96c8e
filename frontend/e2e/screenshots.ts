// Takes screenshots of every page: npm run test:e2e -- --project=screenshots

import { devices, pagesOf } from './pages.ts'
import { test } from './test.ts'

test.use({ expectsErrors: true, contextOptions: { reducedMotion: 'reduce' } })

for (const as of ['guest', 'user'] as const) {
  test.describe(`for a ${as}`, () => {
    test.use({ as })

    for (const [name, open] of Object.entries(pagesOf[as])) {
      test(name, async ({ page, world }) => {
        await open(page, world)
        for (const [device, viewport] of Object.entries(devices)) {
          for (const colorScheme of ['light', 'dark'] as const) {
            await page.setViewportSize(viewport)
            await page.emulateMedia({ colorScheme })
            const file = `${name.replaceAll(' ', '-')}.${device}.${colorScheme}.png`
            await page.screenshot({ path: `test-results/screenshots/${file}`, fullPage: true })
          }
        }
      })
    }
  })
}
