import { Field } from '@/lib/ui/field'

interface NewPasswordProps {
  label: string
  name: string
}

export function NewPassword({ label, name }: NewPasswordProps) {
  return (
    <Field
      label={label}
      name={name}
      type="password"
      autoComplete="new-password"
      hint="At least 8 characters. Avoid common passwords."
      required
    />
  )
}
