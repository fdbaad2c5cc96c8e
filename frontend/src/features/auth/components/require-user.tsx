import type { ReactNode } from 'react'
import { Redirect, useLocation, useSearch } from 'wouter'

import { loginPath } from '@/lib/paths'
import { useSession } from '@/lib/session'
import { Loading } from '@/lib/ui/loading'

/** Shows its children to signed-in users; redirects guests to the login page, and back after login. */
export function RequireUser({ children }: { children: ReactNode }) {
  const { status } = useSession()
  const [path] = useLocation()
  const search = useSearch()

  if (status === 'user') return children
  if (status === 'loading') return <Loading label="Loading your account…" />
  const wanted = path + (search && `?${search}`) + window.location.hash
  return <Redirect to={loginPath(wanted)} replace />
}
