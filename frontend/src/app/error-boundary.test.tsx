import { render, screen, waitFor } from '@testing-library/react'
import { expect, test, vi } from 'vitest'

import { ErrorBoundary } from '@/app/error-boundary'
import { reportError } from '@/lib/error-reports'
import { expectFocus } from '@/testing/focus'
import { setupUser } from '@/testing/user'

vi.mock('@/lib/error-reports')

test('error boundary reports the error and offers to reload', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const reload = vi.spyOn(window.location, 'reload').mockImplementation(() => undefined)
  const error = new Error('rendering failed')
  function FailingPage(): never {
    throw error
  }
  render(
    <ErrorBoundary>
      <FailingPage />
    </ErrorBoundary>,
  )
  await expectFocus(() => screen.getByRole('heading', { name: 'Something went wrong' }))
  expect(reportError).toHaveBeenCalledWith(error)
  await setupUser().press('Reload page')
  await waitFor(() => {
    expect(reload).toHaveBeenCalledOnce()
  })
})
