import { usePasswordResetRequest } from '@/features/password-reset/api'
import { MailRequest } from '@/lib/ui/mail-request'
import { MailSent } from '@/lib/ui/mail-sent'

export function ForgotPasswordPage() {
  const request = usePasswordResetRequest()
  if (request.isSuccess) {
    return (
      <MailSent>
        <p>
          If <strong>{request.variables}</strong> has an account, we sent a link to choose a new
          password.
        </p>
      </MailSent>
    )
  }
  return (
    <MailRequest
      title="Reset your password"
      lead="Enter your email address to get a link."
      request={request}
    />
  )
}
