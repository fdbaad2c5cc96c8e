import { useId, type ComponentProps } from 'react'

import styles from '@/lib/ui/field.module.css'

interface FieldProps extends Omit<ComponentProps<'input'>, 'id' | 'className'> {
  label: string
}

export function Field({ label, ...input }: FieldProps) {
  const id = useId()
  return (
    <div className={styles['field']}>
      <label htmlFor={id}>{label}</label>
      <input id={id} {...input} />
    </div>
  )
}
