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
    <Page title="Your sessions" lead="Devices where you are signed in." width="wide">
      <Stack>
        {endOthers.isSuccess && (
          <Notice kind="information">You are signed out on all other devices.</Notice>
        )}
        {endOthers.error && <Notice kind="error">{problemMessage(endOthers.error)}</Notice>}
        <Card>
          <PagedList label="Sessions" query={sessions} empty="No active sessions.">
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
          {endOthers.isPending ? 'Signing out…' : 'Sign out of other devices'}
        </Button>
      </Stack>
    </Page>
  )
}
