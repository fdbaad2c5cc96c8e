import { Button } from '@/lib/ui/button'
import { Card } from '@/lib/ui/card'
import { Page } from '@/lib/ui/page'
import { Stack } from '@/lib/ui/stack'

interface ServerDownProps {
  onRetry: () => void
  isRetrying: boolean
}

export function ServerDown({ onRetry, isRetrying }: ServerDownProps) {
  return (
    <Page title="We cannot reach the server">
      <Card>
        <Stack>
          <p role="alert">Check your connection, or wait a moment: the fault may be on our side.</p>
          <Button onClick={onRetry} disabled={isRetrying}>
            {isRetrying ? 'Trying…' : 'Try again'}
          </Button>
        </Stack>
      </Card>
    </Page>
  )
}
