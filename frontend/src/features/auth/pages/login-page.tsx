import { Navigate, useLocation } from 'react-router'

import { LoginForm } from '@/features/auth/components/login-form'
import styles from '@/features/auth/pages/login-page.module.css'
import { wantedPath } from '@/lib/paths'
import { useSession } from '@/lib/session'
import { Card } from '@/lib/ui/card'
import { Notice } from '@/lib/ui/notice'
import { Page } from '@/lib/ui/page'
import { ServerDown } from '@/lib/ui/server-down'

export function LoginPage() {
  const session = useSession()
  const { search } = useLocation()

  if (session.status === 'user') return <Navigate to={wantedPath(search)} replace />
  if (session.status === 'down') {
    return <ServerDown isRetrying={session.isRetrying} onRetry={session.retry} />
  }
  const isGuest = session.status === 'guest'
  return (
    <Page title="Sign in" lead="Welcome back.">
      <Card>
        <div className={styles['body']}>
          {isGuest && session.expired && (
            <Notice kind="information">Your session has expired. Please sign in again.</Notice>
          )}
          <LoginForm isReady={isGuest} />
        </div>
      </Card>
    </Page>
  )
}
