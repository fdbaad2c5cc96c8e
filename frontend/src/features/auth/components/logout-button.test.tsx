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
  const { visitor } = renderApp('/projects')
  await visitor.press('Sign out')
}

describe('the logout button', () => {
  test.each([204, 401])('leads to the login page when the server answers %i', async (status) => {
    backend.on('POST /api/v1/auth/logout/', answer(status))
    await signOut()
    expect(await screen.findByRole('heading', { name: 'Sign in' })).toBeVisible()
    expect(screen.queryByText(/session has expired/)).not.toBeInTheDocument()
    await waitFor(() => {
      expect(screen.queryByRole('button', { name: 'Sign out' })).not.toBeInTheDocument()
    })
  })

  test('cannot be pressed twice', async () => {
    backend.on('POST /api/v1/auth/logout/', silent)
    await signOut()
    expect(await screen.findByRole('button', { name: 'Signing out…' })).toBeDisabled()
  })

  test('says when it failed, and can be pressed again', async () => {
    backend.on('POST /api/v1/auth/logout/', answer(500))
    await signOut()
    expect(await screen.findByRole('alert')).toHaveTextContent('Could not sign you out.')
    expect(screen.getByRole('button', { name: 'Sign out' })).toBeEnabled()
  })
})
