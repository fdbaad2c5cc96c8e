import { screen } from '@testing-library/react'
import { beforeEach, describe, expect, test } from 'vitest'

import { answer, invalid, startFakeBackend, type FakeBackend } from '@/testing/fake-backend'
import { expectFocus } from '@/testing/focus'
import { renderApp } from '@/testing/render-app'

const register = 'POST /api/v1/auth/register/'
let backend: FakeBackend

beforeEach(() => {
  backend = startFakeBackend()
})

async function signUp() {
  const { user } = renderApp('/register')
  await user.type(await screen.findByLabelText('First name'), 'New')
  await user.type(screen.getByLabelText('Email'), 'new@example.com')
  await user.type(screen.getByLabelText('Password'), 'a-password')
  await user.press('Create account')
  return user
}

describe('registration page', () => {
  test('shows the confirmation and offers to resend it', async () => {
    backend.on(register, answer(204))
    const user = await signUp()
    await expectFocus(() => screen.getByRole('heading', { name: 'Check your inbox' }))
    expect(screen.getByText('new@example.com')).toBeVisible()
    await expect(backend.sent(register)).resolves.toEqual([
      { email: 'new@example.com', password: 'a-password', first_name: 'New', last_name: '' },
    ])
    await user.click(screen.getByRole('link', { name: 'Send another email' }))
    expect(await screen.findByRole('heading', { name: 'Resend confirmation email' })).toBeVisible()
  })

  test('shows an error at its field and focuses it', async () => {
    backend.on(register, invalid({ password: 'This password is too common.' }))
    await signUp()
    expect(await screen.findByText('This password is too common.')).toBeVisible()
    await expectFocus(() => screen.getByLabelText('Password'))
    const password = screen.getByLabelText('Password')
    expect(password).toBeInvalid()
    expect(password).toHaveAccessibleDescription(/At least 8 .* too common\.$/)
    expect(screen.getByLabelText('Email')).not.toBeInvalid()
  })

  test('focuses the first of several errors', async () => {
    backend.on(register, invalid({ password: 'Too common.', email: 'No address.' }))
    await signUp()
    await screen.findByText('Too common.')
    await expectFocus(() => screen.getByLabelText('Email'))
    expect(screen.getByLabelText('Email')).toHaveAccessibleDescription('No address.')
  })
})
