import { Link, Outlet } from 'react-router'

import styles from '@/app/layout.module.css'
import { LogoutButton } from '@/features/auth/components/logout-button'
import { paths } from '@/lib/paths'
import { productName } from '@/lib/product'
import { useSession } from '@/lib/session'

export function Layout() {
  const session = useSession()
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
        {session.status === 'user' && <LogoutButton />}
      </header>
      <main id="content" tabIndex={-1} className={styles['content']}>
        <Outlet />
      </main>
    </>
  )
}
