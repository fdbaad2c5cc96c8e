import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'

import { api, expectData, expectSuccess } from '@/lib/api/client'

const queryKey = ['sessions']

export function useSessions() {
  return useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) =>
      expectData(api.GET('/api/v1/auth/sessions/', { params: { query: { before: pageParam } } })),
    // Sessions start and end on other devices.
    staleTime: 0,
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.next,
  })
}

export function useSessionEnd() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (session_id: number) =>
      expectSuccess(
        api.DELETE('/api/v1/auth/sessions/{session_id}/', { params: { path: { session_id } } }),
      ),
    // Refetch after errors, too: the session may already have ended.
    onSettled: () => client.invalidateQueries({ queryKey }),
  })
}

export function useOtherSessionsEnd() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: () => expectSuccess(api.DELETE('/api/v1/auth/sessions/')),
    onSuccess: () => client.invalidateQueries({ queryKey }),
  })
}
