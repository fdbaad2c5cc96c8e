import type { ReactNode } from 'react'

import styles from '@/lib/ui/notice.module.css'

interface NoticeProps {
  kind: 'error' | 'information'
  children: ReactNode
}

/** A message that screen readers read out when it appears: errors at once, information when they are idle. */
export function Notice({ kind, children }: NoticeProps) {
  const role = kind === 'error' ? 'alert' : 'status'
  return (
    <div role={role} tabIndex={-1} className={styles[kind]}>
      {children}
    </div>
  )
}
