import { screen, waitFor } from '@testing-library/react'
import { beforeEach, describe, expect, test } from 'vitest'

import { answer, silent, startFakeBackend, type FakeBackend } from '@/testing/fake-backend'
import { renderApp } from '@/testing/render-app'

let backend: FakeBackend

beforeEach(() => {
  backend = startFakeBackend()
  backend.signIn()
  backend.on('POST /api/v1/auth/logout/', answer(204))
})

async function signOut() {
  const { user } = renderApp('/projects')
  await user.press('Sign out')
}

describe('logout button', () => {
  test.each([204, 401])('opens the login page after status %i', async (status) => {
    backend.on('POST /api/v1/auth/logout/', answer(status))
    await signOut()
    expect(await screen.findByRole('heading', { name: 'Sign in' })).toBeVisible()
    expect(screen.queryByText(/session has expired/)).not.toBeInTheDocument()
    await waitFor(() => {
      expect(screen.queryByRole('button', { name: 'Sign out' })).not.toBeInTheDocument()
    })
  })

  test('is disabled while signing out', async () => {
    backend.on('POST /api/v1/auth/logout/', silent)
    await signOut()
    expect(await screen.findByRole('button', { name: 'Signing out…' })).toBeDisabled()
  })

  test('shows an error and allows a retry', async () => {
    backend.on('POST /api/v1/auth/logout/', answer(500))
    await signOut()
    expect(await screen.findByRole('alert')).toHaveTextContent('Could not sign you out.')
    expect(screen.getByRole('button', { name: 'Sign out' })).toBeEnabled()
  })
})
