import { Button } from '@/lib/ui/button'
import { Card } from '@/lib/ui/card'
import { Page } from '@/lib/ui/page'

function reload() {
  window.location.reload()
}

/** Shown when a page fails in a way that nobody foresaw. */
export function ErrorPage() {
  return (
    <Page title="Something went wrong" lead="The fault is ours. Loading the page again may help.">
      <Card>
        <Button onClick={reload}>Load again</Button>
      </Card>
    </Page>
  )
}
