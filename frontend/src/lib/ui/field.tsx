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
  const described = { 'aria-describedby': `${id}-hint ${id}-fault` }
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
        {...(fault !== undefined && { 'aria-invalid': true })}
        {...((fault ?? hint) !== undefined && described)}
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
