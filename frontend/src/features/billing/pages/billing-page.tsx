import { useSearch } from 'wouter'

import { useSubscription } from '@/features/billing/api'
import { SubscriptionCard } from '@/features/billing/components/subscription-card'
import { isSubscribed } from '@/features/billing/subscription'
import { Loading } from '@/lib/ui/loading'
import { Notice } from '@/lib/ui/notice'
import { Page } from '@/lib/ui/page'
import { Retry } from '@/lib/ui/retry'
import { Stack } from '@/lib/ui/stack'

export function BillingPage() {
  // Stripe redirects back with this parameter, and notifies the server shortly before or after.
  const isPaid = new URLSearchParams(useSearch()).get('checkout') === 'done'
  const query = useSubscription(isPaid)
  const { data, error } = query
  const isAwaited = isPaid && data != null && !isSubscribed(data)
  return (
    <Page title="Your subscription" lead="Your plan and billing status." width="wide">
      <Stack>
        {data === null && (
          <Notice kind="information">Billing is not set up, so there is nothing to pay.</Notice>
        )}
        {error !== null && <Retry error={error} query={query} />}
        {data === undefined && error === null && <Loading label="Loading your subscription…" />}
        {isAwaited && <Loading label="Waiting for Stripe to confirm your payment…" />}
        {data != null && !isAwaited && <SubscriptionCard subscription={data} />}
      </Stack>
    </Page>
  )
}
