import { Link } from 'wouter'

import { paths } from '@/lib/paths'
import { Card } from '@/lib/ui/card'
import { Page } from '@/lib/ui/page'

export function NotFoundPage() {
  return (
    <Page title="Page not found" lead="There is no page at this address.">
      <Card>
        <p>
          The page may have moved, or the address may have a typo.{' '}
          <Link to={paths.home}>Go to the home page</Link>
        </p>
      </Card>
    </Page>
  )
}
