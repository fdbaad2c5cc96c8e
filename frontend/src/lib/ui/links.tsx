import type { ReactNode } from 'react'

import styles from '@/lib/ui/links.module.css'

/** Links to related pages, below a card. */
export function Links({ children }: { children: ReactNode }) {
  return <div className={styles['links']}>{children}</div>
}
