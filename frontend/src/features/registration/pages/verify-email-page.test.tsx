import { screen, waitFor } from '@testing-library/react'
import { beforeEach, expect, test } from 'vitest'

import { answer, startFakeBackend, type FakeBackend } from '@/testing/fake-backend'
import { expectFocus } from '@/testing/focus'
import { renderApp } from '@/testing/render-app'

const confirm = 'POST /api/v1/auth/verification/confirm/'
let backend: FakeBackend

beforeEach(() => {
  backend = startFakeBackend()
})

async function follow(link: string) {
  const { user } = renderApp(link)
  await user.press('Confirm email address')
  return user
}

test('link confirms only after a click on the button', async () => {
  backend.on(confirm, answer(204))
  const { user } = renderApp('/verify-email#token=abc')
  await waitFor(() => {
    expect(screen.getByRole('button', { name: 'Confirm email address' })).toBeEnabled()
  })
  expect(backend.requestsTo(confirm)).toEqual([])
  await user.press('Confirm email address')
  await screen.findByRole('heading', { name: 'Email address confirmed' })
  expect(backend.requestsTo(confirm)).toHaveLength(1)
})

test('confirmation links to the login', async () => {
  backend.on(confirm, answer(204))
  const user = await follow('/verify-email#token=abc')
  await expectFocus(() => screen.getByRole('heading', { name: 'Email address confirmed' }))
  await expect(backend.sent(confirm)).resolves.toEqual([{ token: 'abc' }])
  await user.click(screen.getByRole('link', { name: 'sign in' }))
  expect(await screen.findByRole('heading', { name: 'Sign in' })).toBeVisible()
})

test.each([
  ['/verify-email#token=old', 400],
  ['/verify-email', 422],
])('shows an error for the link %s', async (link, status) => {
  backend.on(confirm, answer(status, {}))
  const user = await follow(link)
  expect(await screen.findByRole('alert')).toHaveTextContent('This link has expired.')
  await user.click(screen.getByRole('link', { name: 'Send a new link' }))
  expect(await screen.findByRole('button', { name: 'Send link' })).toBeVisible()
})
