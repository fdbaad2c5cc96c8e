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
        <h2 className={styles['name']}>{name ?? user.email}</h2>
      </div>
      <dl className={styles['facts']}>
        <dt>Name</dt>
        <dd>{name ?? 'Not given'}</dd>
        <dt>Email</dt>
        <dd>{user.email}</dd>
        <dt>Account number</dt>
        <dd>{user.id}</dd>
      </dl>
    </Card>
  )
}
