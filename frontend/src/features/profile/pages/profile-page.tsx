import { useProfileRefresh } from '@/features/profile/api'
import { ProfileCard } from '@/features/profile/components/profile-card'
import styles from '@/features/profile/pages/profile-page.module.css'
import type { User } from '@/lib/api/client'
import { Button } from '@/lib/ui/button'
import { Notice } from '@/lib/ui/notice'
import { Page } from '@/lib/ui/page'

export function ProfilePage({ user }: { user: User }) {
  const { refresh, isRefreshing, hasFailed } = useProfileRefresh()
  return (
    <Page title="Your profile" lead="What we know about you." width="wide">
      <div className={styles['body']}>
        {hasFailed && (
          <Notice kind="error">
            The server cannot be reached. What you see may be out of date.
          </Notice>
        )}
        <ProfileCard user={user} />
        <Button variant="quiet" onClick={refresh} disabled={isRefreshing}>
          {isRefreshing ? 'Refreshing…' : 'Refresh'}
        </Button>
      </div>
    </Page>
  )
}
