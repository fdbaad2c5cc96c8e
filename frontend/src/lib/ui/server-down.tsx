import { Button } from '@/lib/ui/button'
import { Card } from '@/lib/ui/card'
import { Page } from '@/lib/ui/page'
import styles from '@/lib/ui/server-down.module.css'

interface ServerDownProps {
  onRetry: () => void
  isRetrying: boolean
}

export function ServerDown({ onRetry, isRetrying }: ServerDownProps) {
  return (
    <Page title="We cannot reach the server">
      <Card>
        <div className={styles['body']}>
          <p role="alert">Check your connection, or wait a moment: the fault may be on our side.</p>
          <Button onClick={onRetry} disabled={isRetrying}>
            {isRetrying ? 'Trying…' : 'Try again'}
          </Button>
        </div>
      </Card>
    </Page>
  )
}
