import { describe, expect, test } from 'vitest'

import { isSubscribed, summary } from '@/features/billing/subscription'
import type { Subscription } from '@/lib/api/client'

const active: Subscription = {
  status: 'active',
  active: true,
  current_period_end: '2027-01-15T12:00:00Z',
  cancel_at_period_end: false,
}
const none: Subscription = {
  status: 'none',
  active: false,
  current_period_end: null,
  cancel_at_period_end: false,
}

describe('subscription summary', () => {
  test.each(['active', 'trialing'])('has the end of the period for %s', (status) => {
    expect(summary({ ...active, status }).title).toMatch(/^Active until .*2027/)
  })

  test('is active without an end', () => {
    expect(summary({ ...active, current_period_end: null }).title).toBe('Active')
  })

  test('has the end of a cancelled subscription', () => {
    expect(summary({ ...active, cancel_at_period_end: true }).title).toMatch(/^Ends on .*2027/)
  })

  test('shows a failed payment before a cancellation', () => {
    const late = { ...active, status: 'past_due', cancel_at_period_end: true }
    expect(summary(late).title).toBe('Past due')
  })

  test.each(['incomplete', 'paused', 'unpaid'])('shows %s as on hold', (status) => {
    const held = { ...active, status, active: false }
    expect(isSubscribed(held)).toBe(true)
    expect(summary(held).title).toBe('On hold')
  })

  test.each([
    none,
    { ...active, status: 'canceled', active: false },
    { ...active, status: 'incomplete_expired', active: false },
  ])('shows $status as no subscription', (over) => {
    expect(isSubscribed(over)).toBe(false)
    expect(summary(over).title).toBe('No subscription')
  })
})
