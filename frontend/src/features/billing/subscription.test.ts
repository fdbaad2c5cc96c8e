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

describe('a subscription', () => {
  test.each(['active', 'trialing'])('that is %s says until when', (status) => {
    expect(summary({ ...active, status }).title).toMatch(/^Active until .*2027/)
  })

  test('that Stripe has not told the end of is active all the same', () => {
    expect(summary({ ...active, current_period_end: null }).title).toBe('Active')
  })

  test('that is cancelled says when it ends', () => {
    expect(summary({ ...active, cancel_at_period_end: true }).title).toMatch(/^Ends on .*2027/)
  })

  test('whose payment failed says so, even if it was to end', () => {
    const late = { ...active, status: 'past_due', cancel_at_period_end: true }
    expect(summary(late).title).toBe('Past due')
  })

  test.each(['incomplete', 'paused', 'unpaid'])('that is %s is there, but on hold', (status) => {
    const held = { ...active, status, active: false }
    expect(isSubscribed(held)).toBe(true)
    expect(summary(held).title).toBe('On hold')
  })

  test.each([
    none,
    { ...active, status: 'canceled', active: false },
    { ...active, status: 'incomplete_expired', active: false },
  ])('that is $status is none', (over) => {
    expect(isSubscribed(over)).toBe(false)
    expect(summary(over).title).toBe('No subscription')
  })
})
