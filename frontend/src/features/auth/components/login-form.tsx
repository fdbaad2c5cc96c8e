import { useLogin } from '@/features/auth/api'
import { statusOf } from '@/lib/api/problem'
import { Field } from '@/lib/ui/field'
import { Form } from '@/lib/ui/form'

const messages = {
  401: 'Wrong email or password, or your email address is not confirmed yet.',
}

export function LoginForm() {
  const login = useLogin()
  const isRefused = statusOf(login.error) === 401
  return (
    <Form
      submit="Sign in"
      submitting="Signing in…"
      mutation={login}
      messages={messages}
      onSubmit={(valueOf) => {
        login.mutate({ email: valueOf('email'), password: valueOf('password') })
      }}
    >
      <Field label="Email" name="email" type="email" autoComplete="username" required />
      <Field
        label="Password"
        name="password"
        type="password"
        autoComplete="current-password"
        required
        {...(isRefused && { 'aria-invalid': true })}
      />
    </Form>
  )
}
