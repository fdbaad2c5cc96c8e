import { screen, waitFor } from '@testing-library/react'
import { beforeEach, expect, test } from 'vitest'

import { startFakeBackend, type FakeBackend } from '@/testing/fake-backend'
import { expectFocus } from '@/testing/focus'
import { renderApp } from '@/testing/render-app'

let backend: FakeBackend

beforeEach(() => {
  backend = startFakeBackend()
})

test('an unknown address is said to be one, and leads home', async () => {
  const { visitor } = renderApp('/no/such/page')
  await expectFocus(() => screen.getByRole('heading', { name: 'Page not found' }))
  await visitor.click(screen.getByRole('link', { name: 'Go to the home page' }))
  expect(await screen.findByRole('heading', { name: 'Sign in' })).toBeVisible()
})

test('a user gets about by the navigation, which tells where one is', async () => {
  backend.signIn()
  backend.on('GET /api/v1/auth/sessions/', () => Response.json({ items: [], next: null }))
  const { visitor } = renderApp('/')
  await screen.findByRole('heading', { name: 'Your projects' })
  for (const [link, title] of [
    ['Profile', 'Your profile'],
    ['Sessions', 'Your sessions'],
    ['Billing', 'Your subscription'], // billing
    ['Projects', 'Your projects'],
  ] as const) {
    await visitor.click(screen.getByRole('link', { name: link }))
    await expectFocus(() => screen.getByRole('heading', { name: title }))
    expect(screen.getByRole('link', { current: 'page' })).toHaveTextContent(link)
  }
})

test('a guest sees nothing of the navigation', async () => {
  renderApp('/login')
  await waitFor(() => {
    // Until then, the page does not know whether there is a user.
    expect(screen.getByRole('button', { name: 'Sign in' })).toBeEnabled()
  })
  expect(screen.queryByRole('navigation')).not.toBeInTheDocument()
})
