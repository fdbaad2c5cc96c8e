import { useVerificationRequest } from '@/features/registration/api'
import { MailRequest } from '@/lib/ui/mail-request'
import { MailSent } from '@/lib/ui/mail-sent'

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
    <MailRequest title="Confirm your address" lead="We send you a new link." request={request} />
  )
}
