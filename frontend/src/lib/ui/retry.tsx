import { problemMessage } from '@/lib/api/problem'
import { Button } from '@/lib/ui/button'
import { Notice } from '@/lib/ui/notice'

interface RetryProps {
  error: Error
  query: { isFetching: boolean; refetch: () => Promise<unknown> }
}

/** The error of a query, with a button to retry. */
export function Retry({ error, query }: RetryProps) {
  return (
    <>
      <Notice kind="error">{problemMessage(error)}</Notice>
      <Button variant="quiet" disabled={query.isFetching} onClick={() => void query.refetch()}>
        Try again
      </Button>
    </>
  )
}
