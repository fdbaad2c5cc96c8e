import type { ReactNode } from 'react'

import { useSession } from '@/lib/session'
import { ServerDown } from '@/lib/ui/server-down'

/** Shows pages if the server has returned the session, and an error page with a retry otherwise. */
export function RequireServer({ children }: { children: ReactNode }) {
  const session = useSession()
  if (session.status !== 'down') return children
  return <ServerDown isRetrying={session.isRetrying} onRetry={session.retry} />
}
