import { usePasswordResetRequest } from '@/features/password-reset/api'
import { MailRequest } from '@/lib/ui/mail-request'
import { MailSent } from '@/lib/ui/mail-sent'

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
    <MailRequest
      title="Forgot your password?"
      lead="We send you a link to choose a new one."
      request={request}
    />
  )
}
