import { screen } from '@testing-library/react'
import { beforeEach, expect, test } from 'vitest'

import { answer, startFakeBackend, type FakeBackend } from '@/testing/fake-backend'
import { renderApp } from '@/testing/render-app'

const request = 'POST /api/v1/auth/verification/'
let backend: FakeBackend

beforeEach(() => {
  backend = startFakeBackend()
})

async function ask() {
  const { user } = renderApp('/resend-verification')
  await user.type(await screen.findByLabelText('Email'), 'new@example.com')
  await user.press('Send link')
}

test('requests a new link without revealing accounts', async () => {
  backend.on(request, answer(204))
  await ask()
  expect(await screen.findByText(/If .*is not confirmed yet/)).toBeVisible()
  await expect(backend.sent(request)).resolves.toEqual([{ email: 'new@example.com' }])
})

test('shows the time to wait after too many requests', async () => {
  backend.on(request, answer(429, {}, { 'Retry-After': '3000' }))
  await ask()
  expect(await screen.findByRole('alert')).toHaveTextContent('in 50 minutes.')
})
