import type { ReactNode } from 'react'

import { useSession } from '@/lib/session'
import { ServerDown } from '@/lib/ui/server-down'

/** Shows pages only if we could ask the server who is signed in. */
export function RequireServer({ children }: { children: ReactNode }) {
  const session = useSession()
  if (session.status !== 'down') return children
  return <ServerDown isRetrying={session.isRetrying} onRetry={session.retry} />
}
