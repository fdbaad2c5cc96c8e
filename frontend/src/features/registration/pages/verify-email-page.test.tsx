import { screen } from '@testing-library/react'
import { beforeEach, expect, test } from 'vitest'

import { answer, startFakeBackend, type FakeBackend } from '@/testing/fake-backend'
import { renderApp } from '@/testing/render-app'

const confirm = 'POST /api/v1/auth/verification/confirm/'
let backend: FakeBackend

beforeEach(() => {
  backend = startFakeBackend()
})

async function follow(link: string) {
  const { visitor } = renderApp(link)
  await visitor.click(await screen.findByRole('button', { name: 'Confirm my address' }))
  return visitor
}

test('a link in a mail confirms nothing before somebody says so', async () => {
  renderApp('/verify-email#token=abc')
  await screen.findByRole('button', { name: 'Confirm my address' })
  expect(backend.asked(confirm)).toEqual([])
})

test('a confirmed address leads to the login', async () => {
  backend.on(confirm, answer(204))
  const visitor = await follow('/verify-email#token=abc')
  expect(await screen.findByRole('heading', { name: 'Your address is confirmed' })).toHaveFocus()
  await expect(backend.sent(confirm)).resolves.toEqual([{ token: 'abc' }])
  await visitor.click(screen.getByRole('link', { name: 'sign in' }))
  expect(await screen.findByRole('heading', { name: 'Sign in' })).toBeVisible()
})

test.each([
  ['/verify-email#token=old', 400],
  ['/verify-email', 422],
])('the link %s is said to be of no use', async (link, status) => {
  backend.on(confirm, answer(status, {}))
  const visitor = await follow(link)
  expect(await screen.findByRole('alert')).toHaveTextContent('not valid any more')
  await visitor.click(screen.getByRole('link', { name: 'Send me a new link' }))
  expect(await screen.findByRole('button', { name: 'Send the mail' })).toBeVisible()
})
