import type { ReactNode } from 'react'

import { Card } from '@/lib/ui/card'
import { Page } from '@/lib/ui/page'
import { Stack } from '@/lib/ui/stack'

/** Says the same whether or not the address has an account: only its mail tells. */
export function MailSent({ children }: { children: ReactNode }) {
  return (
    <Page title="Look into your mail" lead="It may take a minute, or be in the spam folder.">
      <Card>
        <Stack>{children}</Stack>
      </Card>
    </Page>
  )
}
