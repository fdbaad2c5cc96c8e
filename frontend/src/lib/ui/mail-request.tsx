import { Link } from 'wouter'

import { paths } from '@/lib/paths'
import { Card } from '@/lib/ui/card'
import { Field } from '@/lib/ui/field'
import { Form } from '@/lib/ui/form'
import { Links } from '@/lib/ui/links'
import { Page } from '@/lib/ui/page'

interface MailRequestProps {
  title: string
  lead: string
  request: { error: Error | null; isPending: boolean; mutate: (email: string) => void }
}

/** A page with a form that sends a link to an email address. */
export function MailRequest({ title, lead, request }: MailRequestProps) {
  return (
    <Page title={title} lead={lead}>
      <Card>
        <Form
          submit="Send link"
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
