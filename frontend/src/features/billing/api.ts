import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'

import { isSubscribed } from '@/features/billing/subscription'
import { api, expectData } from '@/lib/api/client'
import { ApiError } from '@/lib/api/problem'

const queryKey = ['subscription']
const pollMilliseconds = 2_000

/** What one has subscribed to; asked for again and again while Stripe is still to confirm it. */
export function useSubscription(isAwaited: boolean) {
  return useQuery({
    queryKey,
    queryFn: () => expectData(api.GET('/api/v1/billing/subscription/')),
    // It changes at Stripe.
    staleTime: 0,
    refetchInterval: ({ state: { data } }) =>
      isAwaited && data !== undefined && !isSubscribed(data) && pollMilliseconds,
  })
}

/** Whether there is no billing at all: a site that is only closed for now says when to come again. */
export function isNotSetUp(error: unknown): boolean {
  return error instanceof ApiError && error.status === 503 && error.retryAfterSeconds === 0
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
