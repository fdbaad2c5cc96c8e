import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'

import { api, expectData, expectSuccess } from '@/lib/api/client'

const queryKey = ['projects']
const pageSize = 10

export function useProjects() {
  return useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) => {
      const query = { limit: pageSize, before: pageParam }
      return expectData(api.GET('/api/v1/projects/', { params: { query } }))
    },
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.next,
  })
}

export function useProjectCreation() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (name: string) => expectData(api.POST('/api/v1/projects/', { body: { name } })),
    onSuccess: () => client.invalidateQueries({ queryKey }),
  })
}

export function useProjectDeletion() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (project_id: number) =>
      expectSuccess(
        api.DELETE('/api/v1/projects/{project_id}/', { params: { path: { project_id } } }),
      ),
    // Refetch after errors, too: the project may already be deleted.
    onSettled: () => client.invalidateQueries({ queryKey }),
  })
}
