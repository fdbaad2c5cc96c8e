import { screen } from '@testing-library/react'
import { expect, test } from 'vitest'

import { answer, startFakeBackend } from '@/testing/fake-backend'
import { renderApp } from '@/testing/render-app'

test('requests a reset link without revealing accounts', async () => {
  const backend = startFakeBackend()
  backend.on('POST /api/v1/auth/password-reset/', answer(204))
  const { user } = renderApp('/forgot-password')
  await user.type(await screen.findByLabelText('Email'), 'user@example.com')
  await user.press('Send link')
  expect(await screen.findByText(/has an account/)).toBeVisible()
  await expect(backend.sent('POST /api/v1/auth/password-reset/')).resolves.toEqual([
    { email: 'user@example.com' },
  ])
})
