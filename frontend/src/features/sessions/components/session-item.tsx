import { useSessionEnd } from '@/features/sessions/api'
import styles from '@/features/sessions/components/session-item.module.css'
import { deviceName } from '@/features/sessions/device'
import type { Session } from '@/lib/api/client'
import { problemMessage } from '@/lib/api/problem'
import { localTime } from '@/lib/time'
import { Button } from '@/lib/ui/button'

export function SessionItem({ session }: { session: Session }) {
  const end = useSessionEnd()
  const name = deviceName(session.user_agent)
  return (
    <li>
      <div className={styles['details']}>
        <h2>
          {name} {session.current && <span className={styles['badge']}>This device</span>}
        </h2>
        <p>
          Signed in {localTime(session.created)}, last active {localTime(session.last_seen)}
        </p>
        {end.error && (
          <p role="alert" className={styles['error']}>
            {problemMessage(end.error)}
          </p>
        )}
      </div>
      {!session.current && (
        <Button
          variant="danger"
          disabled={end.isPending}
          onClick={() => {
            end.mutate(session.id)
          }}
        >
          {end.isPending ? 'Ending…' : 'End session'}
        </Button>
      )}
    </li>
  )
}
