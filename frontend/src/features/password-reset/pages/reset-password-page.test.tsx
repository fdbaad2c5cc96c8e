import { screen, waitFor } from '@testing-library/react'
import { beforeEach, expect, test } from 'vitest'

import { answer, invalid, startFakeBackend, type FakeBackend } from '@/testing/fake-backend'
import { expectFocus } from '@/testing/focus'
import { renderApp } from '@/testing/render-app'

const confirm = 'POST /api/v1/auth/password-reset/confirm/'
let backend: FakeBackend

beforeEach(() => {
  backend = startFakeBackend()
})

async function choosePassword() {
  const { user } = renderApp('/reset-password#token=abc')
  await user.type(await screen.findByLabelText('New password'), 'new-password')
  await user.press('Change password')
  return user
}

test('password reset ends the session and links to the login', async () => {
  backend.signIn()
  backend.on(confirm, answer(204))
  const user = await choosePassword()
  await expectFocus(() => screen.getByRole('heading', { name: 'Password changed' }))
  await waitFor(() => {
    expect(screen.queryByRole('button', { name: 'Sign out' })).not.toBeInTheDocument()
  })
  await expect(backend.sent(confirm)).resolves.toEqual([{ token: 'abc', password: 'new-password' }])
  await user.click(screen.getByRole('link', { name: 'sign in' }))
  expect(await screen.findByRole('heading', { name: 'Sign in' })).toBeVisible()
})

test('password reset shows an error for an expired link', async () => {
  backend.on(confirm, answer(400, {}))
  await choosePassword()
  expect(await screen.findByRole('alert')).toHaveTextContent('This link has expired.')
})

test('password reset marks a weak password', async () => {
  backend.on(confirm, invalid({ password: 'This password is too common.' }))
  await choosePassword()
  await screen.findByText('This password is too common.')
  await expectFocus(() => screen.getByLabelText('New password'))
})
