import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query'

import { statusOf } from '@/lib/api/problem'
import { refreshSession } from '@/lib/session'

const retries = 1

/** Retries once after network errors, but not after error responses. */
function shouldRetry(failures: number, error: Error): boolean {
  return statusOf(error) === undefined && failures < retries
}

export function createQueryClient(): QueryClient {
  // Any request can fail because of an ended session or an outdated CSRF token.
  const onError = (error: Error) => refreshSession(client, error)
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError: (error) => void onError(error) }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      // "always": otherwise requests are paused without an error when the browser reports to be offline.
      queries: { networkMode: 'always', retry: shouldRetry, retryDelay: 500, staleTime: 30_000 },
      mutations: { networkMode: 'always' },
    },
  })
  return client
}
