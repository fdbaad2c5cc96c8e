import { useLayoutEffect, useRef, type ReactNode } from 'react'

import { productName } from '@/lib/product'
import styles from '@/lib/ui/page.module.css'

interface PageProps {
  title: string
  lead?: ReactNode
  width?: 'narrow' | 'wide'
  children: ReactNode
}

/** Sets the document title, and moves the focus to the heading so that screen readers announce the page. */
export function Page({ title, lead, width = 'narrow', children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  // A layout effect, so that the focus does not move after the user has started to type.
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
