import { expect, test } from './test.ts'

test.use({ as: 'user', expectsFaults: true })

const operations = [
  ['GET', 'subscription'],
  ['POST', 'checkout'],
  ['POST', 'portal'],
  ['POST', 'webhook'],
] as const

for (const [method, name] of operations) {
  test(`without an account at Stripe, ${method} ${name} says so`, async ({ page }) => {
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
    expect(answer).toMatchObject({ answered: 503, detail: 'billing is not configured' })
  })
}
