import { render, screen, waitFor } from '@testing-library/react'
import { expect, test, vi } from 'vitest'

import { ErrorBoundary } from '@/app/error-boundary'
import { reportError } from '@/lib/error-reports'
import { expectFocus } from '@/testing/focus'
import { createVisitor } from '@/testing/visitor'

vi.mock('@/lib/error-reports')

test('a page that fails is reported, and can be loaded again', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const reload = vi.spyOn(window.location, 'reload').mockImplementation(() => undefined)
  const fault = new Error('a fault in a page')
  function FailingPage(): never {
    throw fault
  }
  render(
    <ErrorBoundary>
      <FailingPage />
    </ErrorBoundary>,
  )
  await expectFocus(() => screen.getByRole('heading', { name: 'Something went wrong' }))
  expect(reportError).toHaveBeenCalledWith(fault)
  await createVisitor().press('Reload page')
  await waitFor(() => {
    expect(reload).toHaveBeenCalledOnce()
  })
})
