import { createContext, useContext, useId, type ComponentProps } from 'react'

import styles from '@/lib/ui/field.module.css'

/** What the server finds wrong with the fields of the form around, by name. */
export const FieldFaults = createContext<Partial<Record<string, string>>>({})

interface FieldProps extends Omit<ComponentProps<'input'>, 'id' | 'className'> {
  label: string
  name: string
  hint?: string
}

export function Field({ label, name, hint, ...input }: FieldProps) {
  const id = useId()
  const fault = useContext(FieldFaults)[name]
  const describedBy = [hint && `${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(' ')
  return (
    <div className={styles['field']}>
      <label htmlFor={id}>{label}</label>
      {hint !== undefined && (
        <p id={`${id}-hint`} className={styles['hint']}>
          {hint}
        </p>
      )}
      <input
        id={id}
        name={name}
        aria-invalid={fault !== undefined || undefined}
        aria-describedby={describedBy || undefined}
        {...input}
      />
      {fault !== undefined && (
        <p id={`${id}-fault`} className={styles['fault']}>
          {fault}
        </p>
      )}
    </div>
  )
}
