import { createContext, useContext, useId, type ComponentProps } from 'react'

import styles from '@/lib/ui/field.module.css'

/** The error messages of the surrounding form, by field name. */
export const FieldErrors = createContext<Partial<Record<string, string>>>({})

interface FieldProps extends Omit<ComponentProps<'input'>, 'id' | 'className'> {
  label: string
  name: string
  hint?: string
}

export function Field({ label, name, hint, ...input }: FieldProps) {
  const id = useId()
  const error = useContext(FieldErrors)[name]
  const describedBy = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ')
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
        aria-invalid={error !== undefined || undefined}
        aria-describedby={describedBy || undefined}
        {...input}
      />
      {error !== undefined && (
        <p id={`${id}-error`} className={styles['error']}>
          {error}
        </p>
      )}
    </div>
  )
}
