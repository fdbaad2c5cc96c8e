import { screen } from '@testing-library/react'
import { beforeEach, describe, expect, test } from 'vitest'

import {
  answer,
  silent,
  someUser,
  startFakeBackend,
  unreachable,
  type FakeBackend,
} from '@/testing/fake-backend'
import { expectFocus } from '@/testing/focus'
import { renderApp } from '@/testing/render-app'
import type { User } from '@/testing/user'

const login = 'POST /api/v1/auth/login/'
const me = 'GET /api/v1/auth/me/'
const profile = { name: 'Your profile' }
let backend: FakeBackend

beforeEach(() => {
  backend = startFakeBackend()
  backend.on(login, answer(200, someUser))
  document.cookie = 'csrftoken=a-token'
})

async function signIn(user: User) {
  await user.type(await screen.findByLabelText('Email'), someUser.email)
  await user.type(screen.getByLabelText('Password'), 'a-password')
  await user.press('Sign in')
}

describe('login page', () => {
  test('disables the form without a CSRF cookie', async () => {
    backend.on(me, silent)
    renderApp('/login')
    expect(await screen.findByRole('button', { name: 'Sign in' })).toBeDisabled()
  })

  test('sends credentials and CSRF token', async () => {
    const { user } = renderApp('/login?next=/profile')
    await signIn(user)
    await screen.findByRole('heading', profile)
    expect(backend.requestsTo(login)[0]?.headers.get('X-CSRFToken')).toBe('a-token')
    await expect(backend.sent(login)).resolves.toEqual([
      { email: someUser.email, password: 'a-password' },
    ])
  })

  test('disables the form while submitting', async () => {
    backend.on(login, silent)
    const { user } = renderApp('/login')
    await signIn(user)
    expect(await screen.findByRole('button', { name: 'Signing in…' })).toBeDisabled()
  })

  test('opens the next page after login', async () => {
    const { user, currentAddress } = renderApp('/profile?from=mail#details')
    await screen.findByRole('heading', { name: 'Sign in' })
    await signIn(user)
    await screen.findByRole('heading', profile)
    expect(currentAddress()).toBe('/profile?from=mail#details')
  })

  test('redirects signed-in users', async () => {
    backend.signIn()
    const { currentAddress } = renderApp('/login')
    await screen.findByRole('heading', { name: 'Your projects' })
    expect(currentAddress()).toBe('/projects')
  })

  test('marks the password after status 401', async () => {
    backend.on(login, answer(401, { detail: 'no' }))
    const { user } = renderApp('/login')
    await signIn(user)
    expect(await screen.findByRole('alert')).toHaveTextContent(/Wrong email or password/)
    expect(screen.getByLabelText('Password')).toBeInvalid()
    await expectFocus(() => screen.getByLabelText('Password'))
    expect(backend.requestsTo(me)).toHaveLength(1)
  })

  test.each([
    { status: 422, message: /highlighted fields/ },
    { status: 429, message: /Too many attempts/ },
    { status: 500, message: /server is unavailable/ },
  ])('shows an error for status $status', async ({ status, message }) => {
    backend.on(login, answer(status, { detail: 'no' }))
    const { user } = renderApp('/login')
    await signIn(user)
    expect(await screen.findByRole('alert')).toHaveTextContent(message)
    await expectFocus(() => screen.getByRole('alert'))
  })

  test('shows an error after a network error', async () => {
    backend.on(login, unreachable)
    const { user } = renderApp('/login')
    await signIn(user)
    expect(await screen.findByRole('alert')).toHaveTextContent(/server is unavailable/)
  })

  test('refreshes the CSRF token after status 403', async () => {
    backend.on(login, answer(403, { detail: 'CSRF' }))
    const { user } = renderApp('/login')
    await signIn(user)
    expect(await screen.findByRole('alert')).toHaveTextContent(/could not be verified/)
    expect(backend.requests.map(({ method }) => method)).toEqual(['GET', 'POST', 'GET'])
  })

  test.each([
    ['Create an account', 'Create an account'],
    ['Forgot your password?', 'Reset your password'],
    ['Resend confirmation email', 'Resend confirmation email'],
  ])('links to: %s', async (link, title) => {
    const { user } = renderApp('/login')
    await user.click(await screen.findByRole('link', { name: link }))
    await expectFocus(() => screen.getByRole('heading', { name: title }))
  })

  test('offers a retry when the server is down', async () => {
    backend.on(me, answer(503))
    const { user } = renderApp('/login')
    await screen.findByRole('heading', { name: 'Server unavailable' })
    backend.on(me, silent)
    await user.press('Try again')
    expect(await screen.findByRole('button', { name: 'Trying…' })).toBeDisabled()
  })
})
