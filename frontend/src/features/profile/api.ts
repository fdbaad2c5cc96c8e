import { useQuery } from '@tanstack/react-query'

import { sessionQuery } from '@/lib/session'

/** Asks the server again for what the profile shows. If the session is over by then, the user is led to the login page. */
export function useProfileRefresh() {
  const { isFetching, isRefetchError, refetch } = useQuery(sessionQuery)
  return { refresh: () => void refetch(), isRefreshing: isFetching, hasFailed: isRefetchError }
}
