import type { Page } from '@playwright/test'

/** Fakes the response of the subscription endpoint. */
export async function answerSubscription(page: Page, status: 'none' | 'active'): Promise<void> {
  const active = status === 'active'
  const json = {
    status,
    active,
    current_period_end: active ? '2030-01-15T12:00:00Z' : null,
    cancel_at_period_end: false,
  }
  await page.route('**/api/v1/billing/subscription/', (route) => route.fulfill({ json }))
}
