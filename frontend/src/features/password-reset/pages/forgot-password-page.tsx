import { Link } from 'wouter'

import { usePasswordResetRequest } from '@/features/password-reset/api'
import { paths } from '@/lib/paths'
import { Card } from '@/lib/ui/card'
import { Field } from '@/lib/ui/field'
import { Form } from '@/lib/ui/form'
import { Links } from '@/lib/ui/links'
import { MailSent } from '@/lib/ui/mail-sent'
import { Page } from '@/lib/ui/page'

export function ForgotPasswordPage() {
  const request = usePasswordResetRequest()
  if (request.isSuccess) {
    return (
      <MailSent>
        <p>
          If <strong>{request.variables}</strong> has an account, a link to choose a new password is
          on its way.
        </p>
      </MailSent>
    )
  }
  return (
    <Page title="Forgot your password?" lead="We send you a link to choose a new one.">
      <Card>
        <Form
          submit="Send the mail"
          submitting="Sending…"
          mutation={request}
          onSubmit={(valueOf) => {
            request.mutate(valueOf('email'))
          }}
        >
          <Field label="Email" name="email" type="email" autoComplete="username" required />
        </Form>
      </Card>
      <Links>
        <Link to={paths.login}>Back to sign in</Link>
      </Links>
    </Page>
  )
}
