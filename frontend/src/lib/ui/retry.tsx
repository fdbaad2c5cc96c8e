import { problemMessage } from '@/lib/api/problem'
import { Button } from '@/lib/ui/button'
import { Notice } from '@/lib/ui/notice'

interface RetryProps {
  error: Error
  query: { isFetching: boolean; refetch: () => Promise<unknown> }
}

/** Says why something could not be fetched, and fetches it again. */
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
