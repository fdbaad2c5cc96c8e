import type { ReactNode } from 'react'

import styles from '@/lib/ui/notice.module.css'

interface NoticeProps {
  kind: 'error' | 'information'
  children: ReactNode
}

/** A message that screen readers announce: errors immediately, information when idle. */
export function Notice({ kind, children }: NoticeProps) {
  const role = kind === 'error' ? 'alert' : 'status'
  return (
    <div role={role} tabIndex={-1} className={styles[kind]}>
      {children}
    </div>
  )
}
