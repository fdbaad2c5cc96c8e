import { useRedirect } from '@/features/billing/api'
import { isSubscribed, summary } from '@/features/billing/subscription'
import type { Subscription } from '@/lib/api/client'
import { Card } from '@/lib/ui/card'
import { Form } from '@/lib/ui/form'

const messages = {
  409: 'Your subscription has changed. This page shows its current state.',
  502: 'Stripe is not responding. Try again in a moment.',
}

export function SubscriptionCard({ subscription }: { subscription: Subscription }) {
  const redirect = useRedirect()
  const { title, text } = summary(subscription)
  const [submit, page] = isSubscribed(subscription)
    ? (['Manage subscription', 'portal'] as const)
    : (['Subscribe', 'checkout'] as const)
  return (
    <Card>
      <Form
        submit={submit}
        submitting="Opening Stripe…"
        mutation={redirect}
        messages={messages}
        onSubmit={() => {
          redirect.mutate(page)
        }}
      >
        <div>
          <h2>{title}</h2>
          <p>{text}</p>
        </div>
      </Form>
    </Card>
  )
}
