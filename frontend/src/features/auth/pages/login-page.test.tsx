import { screen, waitFor } from '@testing-library/react'
import { beforeEach, describe, expect, test } from 'vitest'

import {
  answer,
  silent,
  someUser,
  startFakeBackend,
  unreachable,
  type FakeBackend,
} from '@/testing/fake-backend'
import { renderApp } from '@/testing/render-app'

let backend: FakeBackend

beforeEach(() => {
  backend = startFakeBackend()
  document.cookie = 'csrftoken=a-token'
})

async function signIn(visitor: ReturnType<typeof renderApp>['visitor']) {
  await visitor.type(screen.getByLabelText('Email'), someUser.email)
  await visitor.type(screen.getByLabelText('Password'), 'a-password')
  await waitFor(() => {
    expect(screen.getByRole('button', { name: 'Sign in' })).toBeEnabled()
  })
  await visitor.click(screen.getByRole('button', { name: 'Sign in' }))
}

describe('the login page', () => {
  test('lets nobody submit before the CSRF cookie is there', () => {
    backend.me(silent)
    renderApp('/login')
    expect(screen.getByRole('button', { name: 'Sign in' })).toBeDisabled()
  })

  test('sends the credentials with the CSRF token', async () => {
    const { visitor } = renderApp('/login')
    await signIn(visitor)
    await screen.findByRole('heading', { name: 'Your profile' })
    const request = backend.requests.find(({ method }) => method === 'POST')
    expect(request?.headers.get('X-CSRFToken')).toBe('a-token')
    await expect(request?.json()).resolves.toEqual({
      email: someUser.email,
      password: 'a-password',
    })
  })

  test('lets nobody submit twice', async () => {
    backend.login(silent)
    const { visitor } = renderApp('/login')
    await signIn(visitor)
    expect(screen.getByRole('button', { name: 'Signing in…' })).toBeDisabled()
  })

  test('leads to the page that was wanted', async () => {
    const { visitor, currentAddress } = renderApp('/profile?from=mail#details')
    await screen.findByRole('heading', { name: 'Sign in' })
    await signIn(visitor)
    await screen.findByRole('heading', { name: 'Your profile' })
    expect(currentAddress()).toBe('/profile?from=mail#details')
  })

  test('sends on whoever is signed in already', async () => {
    backend.me(answer(200, someUser))
    const { currentAddress } = renderApp('/login')
    await screen.findByRole('heading', { name: 'Your profile' })
    expect(currentAddress()).toBe('/profile')
  })

  test.each([
    { status: 401, message: /password is wrong/, blamesFields: true },
    { status: 403, message: /disagreed/, blamesFields: false },
    { status: 422, message: /valid email address/, blamesFields: true },
    { status: 429, message: /Too many attempts/, blamesFields: false },
    { status: 500, message: /cannot be reached/, blamesFields: false },
  ])('explains the answer $status', async ({ status, message, blamesFields }) => {
    backend.login(answer(status, { detail: 'no' }))
    const { visitor } = renderApp('/login')
    await signIn(visitor)
    expect(await screen.findByRole('alert')).toHaveTextContent(message)
    const password = screen.getByLabelText('Password')
    expect(password).toHaveFocus()
    expect(password.hasAttribute('aria-invalid')).toBe(blamesFields)
  })

  test('explains a lost connection', async () => {
    backend.login(unreachable)
    const { visitor } = renderApp('/login')
    await signIn(visitor)
    expect(await screen.findByRole('alert')).toHaveTextContent(/cannot be reached/)
  })

  test('fetches a new CSRF token after a refused one', async () => {
    backend.login(answer(403, { detail: 'CSRF' }))
    const { visitor } = renderApp('/login')
    await signIn(visitor)
    await screen.findByRole('alert')
    await waitFor(() => {
      expect(backend.requests.map(({ method }) => method)).toEqual(['GET', 'POST', 'GET'])
    })
  })

  test('offers a retry when the server is down', async () => {
    backend.me(answer(503))
    const { visitor } = renderApp('/login')
    await screen.findByRole('heading', { name: 'We cannot reach the server' })
    backend.me(silent)
    await visitor.click(screen.getByRole('button', { name: 'Try again' }))
    expect(screen.getByRole('button', { name: 'Trying…' })).toBeDisabled()
  })
})
