import { Link } from 'wouter'

import { useVerificationRequest } from '@/features/registration/api'
import { paths } from '@/lib/paths'
import { Card } from '@/lib/ui/card'
import { Field } from '@/lib/ui/field'
import { Form } from '@/lib/ui/form'
import { Links } from '@/lib/ui/links'
import { MailSent } from '@/lib/ui/mail-sent'
import { Page } from '@/lib/ui/page'

export function ResendVerificationPage() {
  const request = useVerificationRequest()
  if (request.isSuccess) {
    return (
      <MailSent>
        <p>
          If <strong>{request.variables}</strong> is still to be confirmed, a new link is on its
          way.
        </p>
      </MailSent>
    )
  }
  return (
    <Page title="Confirm your address" lead="We send you a new link.">
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
