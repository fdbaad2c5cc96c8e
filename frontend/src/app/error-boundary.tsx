import { Component, type ReactNode } from 'react'

import { reportError } from '@/lib/error-reports'
import { Button } from '@/lib/ui/button'
import { Card } from '@/lib/ui/card'
import { Page } from '@/lib/ui/page'

function reload() {
  window.location.reload()
}

/** Reports unexpected errors of a page and shows an error page. The layout around it stays. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { hasFailed: boolean }> {
  override state = { hasFailed: false }

  static getDerivedStateFromError() {
    return { hasFailed: true }
  }

  override componentDidCatch(error: unknown) {
    reportError(error)
  }

  override render() {
    if (!this.state.hasFailed) return this.props.children
    return (
      <Page
        title="Something went wrong"
        lead="An unexpected error occurred. Reload the page to try again."
      >
        <Card>
          <Button onClick={reload}>Reload page</Button>
        </Card>
      </Page>
    )
  }
}
