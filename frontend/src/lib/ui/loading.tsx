import styles from '@/lib/ui/loading.module.css'

export function Loading({ label }: { label: string }) {
  return (
    <div role="status" className={styles['loading']}>
      <span className={styles['spinner']} aria-hidden="true" />
      {label}
    </div>
  )
}
