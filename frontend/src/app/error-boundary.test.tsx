import { render, screen } from '@testing-library/react'
import { userEvent } from '@testing-library/user-event'
import { expect, test, vi } from 'vitest'

import { ErrorBoundary } from '@/app/error-boundary'
import { reportError } from '@/lib/error-reports'

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
  expect(screen.getByRole('heading', { name: 'Something went wrong' })).toHaveFocus()
  expect(reportError).toHaveBeenCalledWith(fault)
  await userEvent.click(screen.getByRole('button', { name: 'Load again' }))
  expect(reload).toHaveBeenCalledOnce()
})
