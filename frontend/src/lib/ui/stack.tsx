import type { ReactNode } from 'react'

import styles from '@/lib/ui/stack.module.css'

/** Stacks its children vertically with equal gaps. */
export function Stack({ children }: { children: ReactNode }) {
  return <div className={styles['stack']}>{children}</div>
}
