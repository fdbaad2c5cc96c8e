import type { ReactNode } from 'react'

import styles from '@/lib/ui/links.module.css'

/** Where else one may want to go, below a card. */
export function Links({ children }: { children: ReactNode }) {
  return <div className={styles['links']}>{children}</div>
}
