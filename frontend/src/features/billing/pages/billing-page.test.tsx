import { screen, waitFor } from '@testing-library/react'
import { beforeEach, describe, expect, test, vi } from 'vitest'

import { answer, silent, startFakeBackend, type FakeBackend } from '@/testing/fake-backend'
import { expectFocus } from '@/testing/focus'
import { renderApp } from '@/testing/render-app'

const subscription = 'GET /api/v1/billing/subscription/'
const checkout = 'POST /api/v1/billing/checkout/'
const portal = 'POST /api/v1/billing/portal/'
const none = {
  status: 'none',
  active: false,
  current_period_end: null,
  cancel_at_period_end: false,
}
const active = {
  ...none,
  status: 'active',
  active: true,
  current_period_end: '2027-01-15T12:00:00Z',
}
const subscribe = 'Subscribe'
const manage = 'Manage subscription'
let backend: FakeBackend

beforeEach(() => {
  backend = startFakeBackend()
  backend.signIn()
  backend.on(subscription, answer(200, none))
})

async function openBilling(search = '') {
  const { user } = renderApp(`/billing${search}`)
  await screen.findByRole('heading', { name: 'Your subscription' })
  return user
}

describe('billing page', () => {
  test('shows a loading message', async () => {
    backend.on(subscription, silent)
    await openBilling()
    expect(await screen.findByText('Loading your subscription…')).toHaveRole('status')
  })

  test('loads after a retry', async () => {
    backend.on(subscription, answer(500))
    const user = await openBilling()
    expect(await screen.findByText(/server is unavailable/)).toBeVisible()
    backend.on(subscription, answer(200, active))
    await user.press('Try again')
    expect(await screen.findByRole('heading', { name: /^Active until/ })).toBeVisible()
  })

  test.each([
    ['the site is in maintenance', answer(503, { detail: 'Under maintenance.' })],
    ['a proxy returns 503', answer(503)],
  ])('offers a retry when %s', async (_, refusal) => {
    backend.on(subscription, refusal)
    await openBilling()
    expect(await screen.findByRole('button', { name: 'Try again' })).toBeVisible()
    expect(screen.queryByText(/not set up/)).not.toBeInTheDocument()
  })

  test('shows a notice without buttons if billing is not configured', async () => {
    const problem = { 'Content-Type': 'application/problem+json' }
    backend.on(subscription, answer(503, { detail: 'Billing is not configured.' }, problem))
    await openBilling()
    expect(await screen.findByText(/Billing is not set up/)).toHaveRole('status')
    expect(screen.queryByRole('button', { name: subscribe })).not.toBeInTheDocument()
  })
})

describe('user without a subscription', () => {
  test('opens the checkout', async () => {
    const leave = vi.spyOn(window.location, 'assign').mockReturnValue()
    backend.on(checkout, answer(200, { url: 'https://checkout.example.com/' }))
    const user = await openBilling()
    await user.press(subscribe)
    await waitFor(() => {
      expect(leave).toHaveBeenCalledExactlyOnceWith('https://checkout.example.com/')
    })
    expect(screen.queryByRole('button', { name: manage })).not.toBeInTheDocument()
  })

  test('cannot start two checkouts', async () => {
    backend.on(checkout, silent)
    const user = await openBilling()
    await user.press(subscribe)
    expect(await screen.findByRole('button', { name: 'Opening Stripe…' })).toBeDisabled()
  })

  test.each([
    [502, /Stripe is not responding/],
    [503, /server is unavailable/],
  ])('sees an error for status %d', async (status, message) => {
    backend.on(checkout, answer(status))
    const user = await openBilling()
    await user.press(subscribe)
    expect(await screen.findByRole('alert')).toHaveTextContent(message)
    await expectFocus(() => screen.getByRole('alert'))
  })

  test('sees a retry while the server is down', async () => {
    const user = await openBilling()
    await screen.findByRole('button', { name: subscribe })
    backend.on(checkout, answer(503))
    backend.on(subscription, answer(503))
    await user.press(subscribe)
    expect(await screen.findByRole('button', { name: 'Try again' })).toBeVisible()
    expect(screen.queryByText(/Billing is not set up/)).not.toBeInTheDocument()
  })

  test('sees a subscription from another tab', async () => {
    backend.on(checkout, answer(409))
    const user = await openBilling()
    await screen.findByRole('button', { name: subscribe })
    backend.on(subscription, answer(200, active))
    await user.press(subscribe)
    expect(await screen.findByRole('button', { name: manage })).toBeVisible()
    expect(await screen.findByRole('alert')).toHaveTextContent('subscription has changed')
  })

  test('waits for the confirmation after the payment', async () => {
    await openBilling('?checkout=done')
    expect(await screen.findByText(/^Waiting for Stripe/)).toBeVisible()
    expect(screen.queryByRole('button', { name: subscribe })).not.toBeInTheDocument()
    backend.on(subscription, answer(200, active))
    expect(await screen.findByRole('heading', { name: /^Active until/ })).toBeVisible()
  })
})

test('user with a subscription opens the portal', async () => {
  const leave = vi.spyOn(window.location, 'assign').mockReturnValue()
  backend.on(subscription, answer(200, active))
  backend.on(portal, answer(200, { url: 'https://portal.example.com/' }))
  const user = await openBilling()
  await user.press(manage)
  await waitFor(() => {
    expect(leave).toHaveBeenCalledExactlyOnceWith('https://portal.example.com/')
  })
  expect(backend.requestsTo(checkout)).toEqual([])
})
