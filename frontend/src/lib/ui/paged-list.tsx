import type { InfiniteData } from '@tanstack/react-query'
import type { ReactNode } from 'react'

import { Button } from '@/lib/ui/button'
import { Loading } from '@/lib/ui/loading'
import styles from '@/lib/ui/paged-list.module.css'
import { Retry } from '@/lib/ui/retry'
import { Stack } from '@/lib/ui/stack'

interface PageOf<Item> {
  items: Item[]
  next: number | null
}

interface PagedListProps<Item> {
  label: string
  query: {
    data: InfiniteData<PageOf<Item>> | undefined
    error: Error | null
    hasNextPage: boolean
    isFetching: boolean
    fetchNextPage: () => Promise<unknown>
    refetch: () => Promise<unknown>
  }
  empty: string
  children: (item: Item) => ReactNode
}

export function PagedList<Item>({ label, query, empty, children }: PagedListProps<Item>) {
  const { data, error, isFetching } = query
  const items = data?.pages.flatMap((page) => page.items)
  return (
    <Stack>
      {error !== null && <Retry error={error} query={query} />}
      {items === undefined && error === null && (
        <Loading label={`Loading ${label.toLowerCase()}…`} />
      )}
      {items?.length === 0 && <p className={styles['empty']}>{empty}</p>}
      {items !== undefined && items.length > 0 && (
        <ul aria-label={label} className={styles['list']}>
          {items.map(children)}
        </ul>
      )}
      {query.hasNextPage && error === null && (
        <Button variant="quiet" disabled={isFetching} onClick={() => void query.fetchNextPage()}>
          {isFetching ? 'Loading…' : 'Show more'}
        </Button>
      )}
    </Stack>
  )
}
