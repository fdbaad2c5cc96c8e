import { QueryClient } from '@tanstack/react-query'

import { statusOf } from '@/lib/api/client'

const retries = 1

/** Tries once more when the network failed; an answer of the server, even a bad one, is an answer. */
function shouldRetry(failures: number, error: Error): boolean {
  return statusOf(error) === undefined && failures < retries
}

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      // "always": a browser that believes it is offline would make requests wait for ever, unseen.
      queries: { networkMode: 'always', retry: shouldRetry, retryDelay: 500, staleTime: 30_000 },
      mutations: { networkMode: 'always' },
    },
  })
}
