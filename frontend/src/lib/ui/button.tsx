import type { ComponentProps } from 'react'

import styles from '@/lib/ui/button.module.css'

interface ButtonProps extends Omit<ComponentProps<'button'>, 'className'> {
  variant?: 'primary' | 'quiet' | 'danger'
}

export function Button({ variant = 'primary', type = 'button', ...rest }: ButtonProps) {
  return <button type={type} className={styles[variant]} {...rest} />
}
