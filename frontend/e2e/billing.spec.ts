import { answerSubscription } from './billing.ts'
import { expectPage } from './steps.ts'
import { expect, test } from './test.ts'

test.use({ as: 'user', expectsErrors: true })

const operations = [
  ['GET', 'subscription'],
  ['POST', 'checkout'],
  ['POST', 'portal'],
  ['POST', 'webhook'],
] as const

for (const [method, name] of operations) {
  test(`${method} ${name} fails without Stripe settings`, async ({ page }) => {
    await page.goto('/')
    await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible()
    const answer = await page.evaluate(
      async ([how, path]) => {
        const token = /csrftoken=(\w+)/.exec(document.cookie)?.[1] ?? ''
        const response = await fetch(path, { method: how, headers: { 'X-CSRFToken': token } })
        return { ...((await response.json()) as object), answered: response.status }
      },
      [method, `/api/v1/billing/${name}/`] as const,
    )
    expect(answer).toMatchObject({ answered: 503, detail: 'Billing is not configured.' })
  })
}

test('billing page without Stripe settings @quick', async ({ page }) => {
  await page.goto('/')
  await page.getByRole('link', { name: 'Billing' }).click()
  await expectPage(page, 'Your subscription')
  await expect(page.getByRole('status')).toContainText('Billing is not set up')
})

for (const [status, button, operation] of [
  ['none', 'Subscribe', 'checkout'],
  ['active', 'Manage subscription', 'portal'],
] as const) {
  test(`subscription ${status} opens the ${operation} at Stripe`, async ({ page }) => {
    const url = `https://${operation}.example.com/`
    await answerSubscription(page, status)
    await page.route(`**/api/v1/billing/${operation}/`, (route) => route.fulfill({ json: { url } }))
    await page.route(url, (route) => route.fulfill({ body: 'Stripe' }))
    await page.goto('/billing')
    await page.getByRole('button', { name: button }).click()
    await expect(page).toHaveURL(url)
  })
}
