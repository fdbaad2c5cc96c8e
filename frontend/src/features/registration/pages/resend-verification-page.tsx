import { useVerificationRequest } from '@/features/registration/api'
import { MailRequest } from '@/lib/ui/mail-request'
import { MailSent } from '@/lib/ui/mail-sent'

export function ResendVerificationPage() {
  const request = useVerificationRequest()
  if (request.isSuccess) {
    return (
      <MailSent>
        <p>
          If <strong>{request.variables}</strong> is not confirmed yet, we sent a new link to it.
        </p>
      </MailSent>
    )
  }
  return (
    <MailRequest
      title="Resend confirmation email"
      lead="Enter your email address to get a new link."
      request={request}
    />
  )
}
