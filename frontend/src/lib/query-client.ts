import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query'

import { statusOf } from '@/lib/api/problem'
import { askWhoIsSignedIn } from '@/lib/session'

const retries = 1

/** Tries once more when the network failed; an answer of the server, even a bad one, is an answer. */
function shouldRetry(failures: number, error: Error): boolean {
  return statusOf(error) === undefined && failures < retries
}

export function createQueryClient(): QueryClient {
  // A session that is over and a CSRF token that is stale are found out by whatever is asked next.
  const onError = (error: Error) => askWhoIsSignedIn(client, error)
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError: (error) => void onError(error) }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      // "always": a browser that believes it is offline would make requests wait for ever, unseen.
      queries: { networkMode: 'always', retry: shouldRetry, retryDelay: 500, staleTime: 30_000 },
      mutations: { networkMode: 'always' },
    },
  })
  return client
}
