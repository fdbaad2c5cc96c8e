import { render, screen } from '@testing-library/react'
import { userEvent } from '@testing-library/user-event'
import { createMemoryRouter, RouterProvider } from 'react-router'
import { beforeEach, expect, test, vi } from 'vitest'

import { ErrorPage } from '@/app/error-page'
import { startFakeBackend } from '@/testing/fake-backend'
import { renderApp } from '@/testing/render-app'

beforeEach(() => {
  startFakeBackend()
})

test('an unknown address is said to be one, and leads home', async () => {
  const { visitor } = renderApp('/no/such/page')
  expect(screen.getByRole('heading', { name: 'Page not found' })).toHaveFocus()
  await visitor.click(screen.getByRole('link', { name: 'Go to the start page' }))
  expect(await screen.findByRole('heading', { name: 'Sign in' })).toBeVisible()
})

test('a page that fails can be loaded again', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const reload = vi.spyOn(window.location, 'reload').mockImplementation(() => undefined)
  function FailingPage(): never {
    throw new Error('a fault in a page')
  }
  const failing = [{ path: '/', element: <FailingPage />, errorElement: <ErrorPage /> }]
  render(<RouterProvider router={createMemoryRouter(failing)} />)
  await userEvent.click(screen.getByRole('button', { name: 'Load again' }))
  expect(reload).toHaveBeenCalledOnce()
})
