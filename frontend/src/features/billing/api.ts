import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'

import { isSubscribed } from '@/features/billing/subscription'
import { api, expectData, type Subscription } from '@/lib/api/client'

const queryKey = ['subscription']
const pollMilliseconds = 2_000

/** What one has subscribed to; null where the app itself, and no proxy on the way, says that there is no billing. */
async function fetchSubscription(): Promise<Subscription | null> {
  const call = api.GET('/api/v1/billing/subscription/')
  const { status, headers } = (await call).response
  const isOfApp = headers.get('Content-Type') === 'application/problem+json'
  return status === 503 && isOfApp ? null : expectData(call)
}

/** Asks again and again while Stripe is still to confirm what one has subscribed to. */
export function useSubscription(isAwaited: boolean) {
  return useQuery({
    queryKey,
    queryFn: fetchSubscription,
    // It changes at Stripe.
    staleTime: 0,
    refetchInterval: ({ state: { data } }) =>
      isAwaited && data != null && !isSubscribed(data) && pollMilliseconds,
  })
}

/** Leaves for a page at Stripe. */
export function useRedirect() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (page: 'checkout' | 'portal') =>
      expectData(api.POST(`/api/v1/billing/${page}/` as const)),
    onSuccess: ({ url }) => {
      window.location.assign(url)
    },
    // What is refused was offered for a subscription that has changed elsewhere.
    onError: () => client.invalidateQueries({ queryKey }),
  })
}
