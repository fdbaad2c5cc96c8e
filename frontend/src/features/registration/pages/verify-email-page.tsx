import { Link } from 'wouter'

import { useVerification } from '@/features/registration/api'
import { paths, tokenFromMail } from '@/lib/paths'
import { Card } from '@/lib/ui/card'
import { Form } from '@/lib/ui/form'
import { Links } from '@/lib/ui/links'
import { Page } from '@/lib/ui/page'

const invalidLink = 'This link is not valid any more. Ask for a new one below.'
const messages = { 400: invalidLink, 422: invalidLink }

/** Confirms by a button: programs that look into mails open links too. */
export function VerifyEmailPage() {
  const verification = useVerification()
  if (verification.isSuccess) {
    return (
      <Page title="Your address is confirmed">
        <Card>
          <p>
            You can now <Link to={paths.login}>sign in</Link>.
          </p>
        </Card>
      </Page>
    )
  }
  return (
    <Page title="Confirm your address" lead="One more step, and your account is ready.">
      <Card>
        <Form
          submit="Confirm my address"
          submitting="Confirming…"
          mutation={verification}
          messages={messages}
          onSubmit={() => {
            verification.mutate(tokenFromMail())
          }}
        >
          <p>Confirm that you can read mail at the address that you signed up with.</p>
        </Form>
      </Card>
      <Links>
        <Link to={paths.resendVerification}>Send me a new link</Link>
      </Links>
    </Page>
  )
}
