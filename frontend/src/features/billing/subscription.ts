import type { Subscription } from '@/lib/api/client'

const date = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' })

/** Stripe's words for a subscription that is over. Beside one in any other status, no new one can begin. */
const ended = new Set(['none', 'canceled', 'incomplete_expired'])

export function isSubscribed({ status }: Subscription): boolean {
  return !ended.has(status)
}

interface Summary {
  title: string
  text: string
}

/** Whether one is served and until when, and what becomes of that. */
export function summary(subscription: Subscription): Summary {
  const { status, active, current_period_end: end, cancel_at_period_end } = subscription
  if (!isSubscribed(subscription)) {
    return { title: 'No subscription', text: 'To subscribe, you pay at Stripe.' }
  }
  if (!active) return { title: 'On hold', text: 'It goes on as soon as it is paid for.' }
  if (status === 'past_due') {
    return { title: 'Past due', text: 'The last payment failed. Please look at how you pay.' }
  }
  if (end === null) return { title: 'Active', text: 'Stripe has not told yet until when.' }
  const day = date.format(new Date(end))
  return cancel_at_period_end
    ? { title: `Ends on ${day}`, text: 'It is cancelled, and you pay nothing more.' }
    : { title: `Active until ${day}`, text: 'It is renewed then, unless you cancel it.' }
}
