import type { ReactNode } from 'react'
import { Link, useRoute } from 'wouter'

import styles from '@/app/layout.module.css'
import { LogoutButton } from '@/features/auth/components/logout-button'
import { paths } from '@/lib/paths'
import { productName } from '@/lib/product'
import { useSession } from '@/lib/session'

function NavigationLink({ to, children }: { to: string; children: ReactNode }) {
  const [isHere] = useRoute(to)
  return (
    <Link to={to} {...(isHere && { 'aria-current': 'page' })}>
      {children}
    </Link>
  )
}

function Navigation() {
  return (
    <nav aria-label="Main" className={styles['navigation']}>
      <NavigationLink to={paths.projects}>Projects</NavigationLink>
      <NavigationLink to={paths.profile}>Profile</NavigationLink>
      <NavigationLink to={paths.sessions}>Sessions</NavigationLink>
      <NavigationLink to={paths.billing}>Billing</NavigationLink> {/* billing */}
    </nav>
  )
}

export function Layout({ children }: { children: ReactNode }) {
  const isUser = useSession().status === 'user'
  return (
    <>
      <a className={styles['skip']} href="#content">
        Skip to content
      </a>
      <header className={styles['header']}>
        <Link className={styles['product']} to={paths.home}>
          <img src="/favicon.svg" alt="" width="28" height="28" />
          {productName}
        </Link>
        {isUser && <Navigation />}
        {isUser && <LogoutButton />}
      </header>
      <main id="content" tabIndex={-1} className={styles['content']}>
        {children}
      </main>
    </>
  )
}
