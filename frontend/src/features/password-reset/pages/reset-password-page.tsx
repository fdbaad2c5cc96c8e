import { Link } from 'wouter'

import { usePasswordReset } from '@/features/password-reset/api'
import { paths, tokenFromMail } from '@/lib/paths'
import { Card } from '@/lib/ui/card'
import { Form } from '@/lib/ui/form'
import { Links } from '@/lib/ui/links'
import { NewPassword } from '@/lib/ui/new-password'
import { Page } from '@/lib/ui/page'

const messages = { 400: 'This link has expired. Request a new one below.' }

export function ResetPasswordPage() {
  const reset = usePasswordReset()
  if (reset.isSuccess) {
    return (
      <Page title="Password changed" lead="You are signed out on all devices.">
        <Card>
          <p>
            You can now <Link to={paths.login}>sign in</Link> with your new password.
          </p>
        </Card>
      </Page>
    )
  }
  return (
    <Page title="Choose a new password" lead="You will be signed out on all devices.">
      <Card>
        <Form
          submit="Change password"
          submitting="Changing…"
          mutation={reset}
          messages={messages}
          onSubmit={(valueOf) => {
            reset.mutate({ token: tokenFromMail(), password: valueOf('password') })
          }}
        >
          <NewPassword label="New password" name="password" />
        </Form>
      </Card>
      <Links>
        <Link to={paths.forgotPassword}>Send a new link</Link>
      </Links>
    </Page>
  )
}
