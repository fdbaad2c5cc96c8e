import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'

import { isSubscribed } from '@/features/billing/subscription'
import { api, expectData, type Subscription } from '@/lib/api/client'

const queryKey = ['subscription']
const pollMilliseconds = 2_000

/** Returns the subscription, or null if billing is not configured. A 503 from a proxy is an error. */
async function fetchSubscription(): Promise<Subscription | null> {
  const call = api.GET('/api/v1/billing/subscription/')
  const { status, headers } = (await call).response
  const isFromApp = headers.get('Content-Type') === 'application/problem+json'
  return status === 503 && isFromApp ? null : expectData(call)
}

/** Polls until Stripe has confirmed the subscription, if `isAwaited`. */
export function useSubscription(isAwaited: boolean) {
  return useQuery({
    queryKey,
    queryFn: fetchSubscription,
    // The subscription can change at Stripe at any time.
    staleTime: 0,
    refetchInterval: ({ state: { data } }) =>
      isAwaited && data != null && !isSubscribed(data) && pollMilliseconds,
  })
}

/** Redirects to a page at Stripe. */
export function useRedirect() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (page: 'checkout' | 'portal') =>
      expectData(api.POST(`/api/v1/billing/${page}/` as const)),
    onSuccess: ({ url }) => {
      window.location.assign(url)
    },
    // The subscription may have changed in another tab or at Stripe.
    onError: () => client.invalidateQueries({ queryKey }),
  })
}
