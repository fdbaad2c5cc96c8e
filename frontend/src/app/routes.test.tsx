import { screen, waitFor } from '@testing-library/react'
import { beforeEach, expect, test } from 'vitest'

import { startFakeBackend, type FakeBackend } from '@/testing/fake-backend'
import { expectFocus } from '@/testing/focus'
import { renderApp } from '@/testing/render-app'

let backend: FakeBackend

beforeEach(() => {
  backend = startFakeBackend()
})

test('unknown path shows the not-found page', async () => {
  const { user } = renderApp('/no/such/page')
  await expectFocus(() => screen.getByRole('heading', { name: 'Page not found' }))
  await user.click(screen.getByRole('link', { name: 'Go to the home page' }))
  expect(await screen.findByRole('heading', { name: 'Sign in' })).toBeVisible()
})

test('navigation opens pages and marks the current one', async () => {
  backend.signIn()
  backend.on('GET /api/v1/auth/sessions/', () => Response.json({ items: [], next: null }))
  const { user } = renderApp('/')
  await screen.findByRole('heading', { name: 'Your projects' })
  for (const [link, title] of [
    ['Profile', 'Your profile'],
    ['Sessions', 'Your sessions'],
    ['Billing', 'Your subscription'], // billing
    ['Projects', 'Your projects'],
  ] as const) {
    await user.click(screen.getByRole('link', { name: link }))
    await expectFocus(() => screen.getByRole('heading', { name: title }))
    expect(screen.getByRole('link', { current: 'page' })).toHaveTextContent(link)
  }
})

test('guest sees no navigation', async () => {
  renderApp('/login')
  await waitFor(() => {
    // The button is enabled when the session is known.
    expect(screen.getByRole('button', { name: 'Sign in' })).toBeEnabled()
  })
  expect(screen.queryByRole('navigation')).not.toBeInTheDocument()
})
