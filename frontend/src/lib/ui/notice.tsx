import type { ReactNode } from 'react'

import styles from '@/lib/ui/notice.module.css'

interface NoticeProps {
  kind: 'error' | 'information'
  id?: string
  children: ReactNode
}

/** A message that screen readers read out when it appears: errors at once, information when they are idle. */
export function Notice({ kind, id, children }: NoticeProps) {
  const role = kind === 'error' ? 'alert' : 'status'
  return (
    <div id={id} role={role} className={styles[kind]}>
      {children}
    </div>
  )
}
