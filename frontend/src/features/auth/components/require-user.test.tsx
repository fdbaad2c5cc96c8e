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
import { renderApp } from '@/testing/render-app'

let backend: FakeBackend

beforeEach(() => {
  backend = startFakeBackend()
})

describe('a protected page', () => {
  test('shows that it is loading', async () => {
    backend.on('GET /api/v1/auth/me/', silent)
    renderApp('/profile')
    expect(await screen.findByText('Loading your account…')).toHaveRole('status')
  })

  test('leads guests to the login page', async () => {
    const { currentAddress } = renderApp('/profile')
    await screen.findByRole('heading', { name: 'Sign in' })
    expect(currentAddress()).toBe('/login?next=%2Fprofile')
  })

  test('tries a lost connection once more by itself', async () => {
    const answers = [unreachable, answer(200, someUser)]
    backend.on(
      'GET /api/v1/auth/me/',
      (request) => answers.shift()?.(request) ?? new Response(null, { status: 500 }),
    )
    renderApp('/profile')
    expect(await screen.findByRole('heading', { name: 'Your profile' })).toBeVisible()
  })

  test('comes back after a retry', async () => {
    backend.on('GET /api/v1/auth/me/', answer(502))
    const { visitor } = renderApp('/profile')
    await screen.findByRole('heading', { name: 'Cannot reach the server' })
    backend.on('GET /api/v1/auth/me/', answer(200, someUser))
    await visitor.press('Try again')
    expect(await screen.findByRole('heading', { name: 'Your profile' })).toBeVisible()
  })
})
