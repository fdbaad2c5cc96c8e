import type { Subscription } from '@/lib/api/client'

const date = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' })

/** Stripe's statuses of ended subscriptions. With any other status, no new subscription can start. */
const ended = new Set(['none', 'canceled', 'incomplete_expired'])

export function isSubscribed({ status }: Subscription): boolean {
  return !ended.has(status)
}

interface Summary {
  title: string
  text: string
}

/** Describes the status of a subscription and what happens next. */
export function summary(subscription: Subscription): Summary {
  const { status, active, current_period_end: end, cancel_at_period_end } = subscription
  if (!isSubscribed(subscription)) {
    return { title: 'No subscription', text: 'You pay securely at Stripe.' }
  }
  if (!active) return { title: 'On hold', text: 'It continues as soon as your payment succeeds.' }
  if (status === 'past_due') {
    return { title: 'Past due', text: 'Your last payment failed. Check your payment method.' }
  }
  if (end === null)
    return { title: 'Active', text: 'The end of the billing period is not known yet.' }
  const day = date.format(new Date(end))
  return cancel_at_period_end
    ? { title: `Ends on ${day}`, text: 'You cancelled it. You will not be charged again.' }
    : { title: `Active until ${day}`, text: 'It renews automatically unless you cancel it.' }
}
