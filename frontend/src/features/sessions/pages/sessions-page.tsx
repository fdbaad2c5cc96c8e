import { useOtherSessionsEnd, useSessions } from '@/features/sessions/api'
import { SessionItem } from '@/features/sessions/components/session-item'
import { problemMessage } from '@/lib/api/problem'
import { Button } from '@/lib/ui/button'
import { Card } from '@/lib/ui/card'
import { Notice } from '@/lib/ui/notice'
import { Page } from '@/lib/ui/page'
import { PagedList } from '@/lib/ui/paged-list'
import { Stack } from '@/lib/ui/stack'

export function SessionsPage() {
  const sessions = useSessions()
  const endOthers = useOtherSessionsEnd()
  return (
    <Page title="Your sessions" lead="Where you are signed in." width="wide">
      <Stack>
        {endOthers.isSuccess && (
          <Notice kind="information">You are signed out everywhere else.</Notice>
        )}
        {endOthers.error && <Notice kind="error">{problemMessage(endOthers.error)}</Notice>}
        <Card>
          <PagedList label="Sessions" query={sessions} empty="There are none.">
            {(session) => <SessionItem key={session.id} session={session} />}
          </PagedList>
        </Card>
        <Button
          variant="quiet"
          disabled={endOthers.isPending}
          onClick={() => {
            endOthers.mutate()
          }}
        >
          {endOthers.isPending ? 'Signing out…' : 'Sign out everywhere else'}
        </Button>
      </Stack>
    </Page>
  )
}
