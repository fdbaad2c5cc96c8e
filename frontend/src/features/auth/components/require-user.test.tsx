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

describe('protected page', () => {
  test('shows a loading message', async () => {
    backend.on('GET /api/v1/auth/me/', silent)
    renderApp('/profile')
    expect(await screen.findByText('Loading your account…')).toHaveRole('status')
  })

  test('redirects guests to login page', async () => {
    const { currentAddress } = renderApp('/profile')
    await screen.findByRole('heading', { name: 'Sign in' })
    expect(currentAddress()).toBe('/login?next=%2Fprofile')
  })

  test('retries once after a network error', async () => {
    const answers = [unreachable, answer(200, someUser)]
    backend.on(
      'GET /api/v1/auth/me/',
      (request) => answers.shift()?.(request) ?? new Response(null, { status: 500 }),
    )
    renderApp('/profile')
    expect(await screen.findByRole('heading', { name: 'Your profile' })).toBeVisible()
  })

  test('loads after a manual retry', async () => {
    backend.on('GET /api/v1/auth/me/', answer(502))
    const { user } = renderApp('/profile')
    await screen.findByRole('heading', { name: 'Server unavailable' })
    backend.on('GET /api/v1/auth/me/', answer(200, someUser))
    await user.press('Try again')
    expect(await screen.findByRole('heading', { name: 'Your profile' })).toBeVisible()
  })
})
