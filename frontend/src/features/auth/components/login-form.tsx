import { useId, useRef, type SubmitEvent } from 'react'

import { useLogin } from '@/features/auth/api'
import styles from '@/features/auth/components/login-form.module.css'
import { blamesCredentials, loginErrorMessage } from '@/features/auth/login-error'
import { Button } from '@/lib/ui/button'
import { Field } from '@/lib/ui/field'
import { Notice } from '@/lib/ui/notice'

interface LoginFormProps {
  /** False until the server has set the CSRF cookie, without which it refuses every login. */
  isReady: boolean
}

function text(form: FormData, name: string): string {
  // Only a file's value is not a string.
  return form.get(name) as string
}

export function LoginForm({ isReady }: LoginFormProps) {
  const login = useLogin()
  const errorId = useId()
  const password = useRef<HTMLInputElement>(null)

  function askAgain() {
    password.current?.focus()
    password.current?.select()
  }

  function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const credentials = { email: text(form, 'email'), password: text(form, 'password') }
    login.mutate(credentials, { onError: askAgain })
  }

  const blame = login.error !== null && blamesCredentials(login.error)
  const fault = blame ? { 'aria-invalid': true, 'aria-describedby': errorId } : {}
  return (
    <form className={styles['form']} onSubmit={submit}>
      {login.error !== null && (
        <Notice kind="error" id={errorId}>
          {loginErrorMessage(login.error)}
        </Notice>
      )}
      <Field label="Email" name="email" type="email" autoComplete="username" required {...fault} />
      <Field
        label="Password"
        name="password"
        type="password"
        autoComplete="current-password"
        required
        ref={password}
        {...fault}
      />
      <Button type="submit" disabled={!isReady || login.isPending}>
        {login.isPending ? 'Signing in…' : 'Sign in'}
      </Button>
    </form>
  )
}
