import { Link } from 'wouter'

import { useRegistration } from '@/features/registration/api'
import { paths } from '@/lib/paths'
import { Card } from '@/lib/ui/card'
import { Field } from '@/lib/ui/field'
import { Form } from '@/lib/ui/form'
import { Links } from '@/lib/ui/links'
import { MailSent } from '@/lib/ui/mail-sent'
import { NewPassword } from '@/lib/ui/new-password'
import { Page } from '@/lib/ui/page'

export function RegisterPage() {
  const registration = useRegistration()
  if (registration.isSuccess) {
    return (
      <MailSent>
        <p>
          We sent an email to <strong>{registration.variables.email}</strong>. Open the link in it
          to confirm your email address, then sign in.
        </p>
        <Link to={paths.resendVerification}>Send another email</Link>
      </MailSent>
    )
  }
  return (
    <Page title="Create an account" lead="We will send you an email to confirm your address.">
      <Card>
        <Form
          submit="Create account"
          submitting="Creating…"
          mutation={registration}
          onSubmit={(valueOf) => {
            registration.mutate({
              email: valueOf('email'),
              password: valueOf('password'),
              first_name: valueOf('first_name'),
              last_name: valueOf('last_name'),
            })
          }}
        >
          <Field label="First name" name="first_name" autoComplete="given-name" />
          <Field label="Last name" name="last_name" autoComplete="family-name" />
          <Field label="Email" name="email" type="email" autoComplete="username" required />
          <NewPassword label="Password" name="password" />
        </Form>
      </Card>
      <Links>
        <Link to={paths.login}>Sign in instead</Link>
      </Links>
    </Page>
  )
}
