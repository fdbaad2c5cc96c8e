import type { ReactNode } from 'react'

import { Card } from '@/lib/ui/card'
import { Page } from '@/lib/ui/page'
import { Stack } from '@/lib/ui/stack'

/** The page after a request for a mail. It must not reveal whether the address has an account. */
export function MailSent({ children }: { children: ReactNode }) {
  return (
    <Page title="Check your inbox" lead="The email may take a minute. Check your spam folder, too.">
      <Card>
        <Stack>{children}</Stack>
      </Card>
    </Page>
  )
}
