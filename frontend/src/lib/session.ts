import { queryOptions, useQuery, type QueryClient } from '@tanstack/react-query'

import { api, expectData, type User } from '@/lib/api/client'
import { statusOf } from '@/lib/api/problem'

const queryKey = ['session']

interface Session {
  user: User | null
  /** Whether the session of the guest has expired. */
  expired: boolean
}

function guestAfter(before: Session | undefined): Session {
  return { user: null, expired: before !== undefined && (before.user !== null || before.expired) }
}

export const sessionQuery = queryOptions({
  queryKey,
  queryFn: async ({ client }): Promise<Session> => {
    try {
      return { user: await expectData(api.GET('/api/v1/auth/me/')), expired: false }
    } catch (error) {
      if (statusOf(error) !== 401) throw error
      return guestAfter(client.getQueryData<Session>(queryKey))
    }
  },
})

export type SessionState =
  | { status: 'loading' }
  | { status: 'down'; isRetrying: boolean; retry: () => void }
  | { status: 'guest'; expired: boolean }
  | { status: 'user'; user: User }

/** Returns the current session. A known session stays valid until the server reports a change. */
export function useSession(): SessionState {
  const { data, errorUpdateCount, isFetching, refetch } = useQuery(sessionQuery)
  if (data === undefined) {
    if (errorUpdateCount === 0) return { status: 'loading' }
    return { status: 'down', isRetrying: isFetching, retry: () => void refetch() }
  }
  if (data.user === null) return { status: 'guest', expired: data.expired }
  return { status: 'user', user: data.user }
}

/** Returns the user, on pages for signed-in users. */
export function useUser(): User {
  const session = useSession()
  if (session.status !== 'user') throw new Error('This page requires a signed-in user.')
  return session.user
}

export function startSession(client: QueryClient, user: User): void {
  client.setQueryData<Session>(queryKey, { user, expired: false })
}

/** Ends the session and removes all cached data of the user. */
export function endSession(client: QueryClient): void {
  client.removeQueries({ predicate: (query) => query.queryKey[0] !== queryKey[0] })
  client.setQueryData<Session>(queryKey, { user: null, expired: false })
}

/** Refetches the session, and with it the CSRF token, after an error that contradicts the known session. */
export async function refreshSession(client: QueryClient, error: Error): Promise<void> {
  const isSignedIn = client.getQueryData<Session>(queryKey)?.user != null
  const status = statusOf(error)
  if (status === 403 || (status === 401 && isSignedIn)) await client.invalidateQueries({ queryKey })
}
