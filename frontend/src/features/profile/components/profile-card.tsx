import styles from '@/features/profile/components/profile-card.module.css'
import { fullName, initials } from '@/features/profile/name'
import type { User } from '@/lib/api/client'
import { Card } from '@/lib/ui/card'

export function ProfileCard({ user }: { user: User }) {
  const name = fullName(user)
  return (
    <Card>
      <div className={styles['person']}>
        <span className={styles['avatar']} aria-hidden="true">
          {initials(user)}
        </span>
        <div className={styles['names']}>
          <h2>{name ?? 'No name yet'}</h2>
          <p>{user.email}</p>
        </div>
      </div>
    </Card>
  )
}
