import type { ReactNode } from 'react'
import { Navigate, useLocation } from 'react-router'

import type { User } from '@/lib/api/client'
import { loginPath } from '@/lib/paths'
import { useSession } from '@/lib/session'
import { Loading } from '@/lib/ui/loading'
import { ServerDown } from '@/lib/ui/server-down'

interface RequireUserProps {
  children: (user: User) => ReactNode
}

/** Lets signed-in users through; sends everybody else to the login page, which brings them back. */
export function RequireUser({ children }: RequireUserProps) {
  const session = useSession()
  const { pathname, search, hash } = useLocation()

  switch (session.status) {
    case 'loading':
      return <Loading label="Loading your account…" />
    case 'down':
      return <ServerDown isRetrying={session.isRetrying} onRetry={session.retry} />
    case 'guest':
      return <Navigate to={loginPath(pathname + search + hash)} replace />
    case 'user':
      return children(session.user)
  }
}
