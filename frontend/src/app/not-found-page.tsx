import { Link } from 'wouter'

import { paths } from '@/lib/paths'
import { Card } from '@/lib/ui/card'
import { Page } from '@/lib/ui/page'

export function NotFoundPage() {
  return (
    <Page title="Page not found" lead="There is nothing at this address.">
      <Card>
        <p>
          The page may have moved, or the address has a typing error.{' '}
          <Link to={paths.home}>Go to the start page</Link>
        </p>
      </Card>
    </Page>
  )
}
