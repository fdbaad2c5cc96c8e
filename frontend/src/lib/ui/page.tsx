import { useLayoutEffect, useRef, type ReactNode } from 'react'

import { productName } from '@/lib/product'
import styles from '@/lib/ui/page.module.css'

interface PageProps {
  title: string
  lead?: ReactNode
  width?: 'narrow' | 'wide'
  children: ReactNode
}

/** Names the page in the tab, and moves the focus to its heading so that screen readers announce it. */
export function Page({ title, lead, width = 'narrow', children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  // Before the page is painted: the focus is not taken from a user who has begun to type.
  useLayoutEffect(() => {
    document.title = `${title} · ${productName}`
    heading.current?.focus()
  }, [title])
  return (
    <section className={styles[width]}>
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      {lead !== undefined && <p className={styles['lead']}>{lead}</p>}
      {children}
    </section>
  )
}
