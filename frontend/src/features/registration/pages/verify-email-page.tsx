import { Link } from 'wouter'

import { useVerification } from '@/features/registration/api'
import { paths, tokenFromMail } from '@/lib/paths'
import { Card } from '@/lib/ui/card'
import { Form } from '@/lib/ui/form'
import { Links } from '@/lib/ui/links'
import { Page } from '@/lib/ui/page'

const invalidLink = 'This link has expired. Request a new one below.'
const messages = { 400: invalidLink, 422: invalidLink }

/** Confirms by a button, because mail scanners open links. */
export function VerifyEmailPage() {
  const verification = useVerification()
  if (verification.isSuccess) {
    return (
      <Page title="Email address confirmed">
        <Card>
          <p>
            You can now <Link to={paths.login}>sign in</Link>.
          </p>
        </Card>
      </Page>
    )
  }
  return (
    <Page title="Confirm your email address" lead="One more step to activate your account.">
      <Card>
        <Form
          submit="Confirm email address"
          submitting="Confirming…"
          mutation={verification}
          messages={messages}
          onSubmit={() => {
            verification.mutate(tokenFromMail())
          }}
        >
          <p>Confirm the email address that you signed up with.</p>
        </Form>
      </Card>
      <Links>
        <Link to={paths.resendVerification}>Send a new link</Link>
      </Links>
    </Page>
  )
}
