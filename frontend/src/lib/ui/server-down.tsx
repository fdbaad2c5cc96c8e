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
    <Page title="Server unavailable">
      <Card>
        <Stack>
          <p role="alert">Check your internet connection, or try again in a minute.</p>
          <Button onClick={onRetry} disabled={isRetrying}>
            {isRetrying ? 'Trying…' : 'Try again'}
          </Button>
        </Stack>
      </Card>
    </Page>
  )
}
