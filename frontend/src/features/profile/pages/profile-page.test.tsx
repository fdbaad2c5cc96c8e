import { screen, waitFor } from '@testing-library/react'
import { beforeEach, describe, expect, test } from 'vitest'

import { productName } from '@/lib/product'
import {
  answer,
  invalid,
  someUser,
  startFakeBackend,
  type FakeBackend,
} from '@/testing/fake-backend'
import { expectFocus } from '@/testing/focus'
import { renderApp } from '@/testing/render-app'

const update = 'PATCH /api/v1/auth/me/'
const change = 'POST /api/v1/auth/me/password/'
let backend: FakeBackend

beforeEach(() => {
  backend = startFakeBackend()
  backend.signIn()
})

async function openProfile() {
  const { user } = renderApp('/profile')
  await screen.findByRole('heading', { name: 'Your profile' })
  return user
}

describe('profile page', () => {
  test('moves the focus and sets the title', async () => {
    await openProfile()
    await expectFocus(() => screen.getByRole('heading', { name: 'Your profile' }))
    expect(document.title).toBe(`Your profile · ${productName}`)
  })

  test('shows the data of the user', async () => {
    backend.on('GET /api/v1/auth/me/', answer(200, { ...someUser, phone: '+49 30 1234' }))
    await openProfile()
    expect(await screen.findByRole('heading', { name: 'Some User' })).toBeVisible()
    expect(screen.getByText('user@example.com')).toBeVisible()
    expect(screen.getByLabelText('Phone')).toHaveValue('+49 30 1234')
  })

  test('shows a placeholder without a name', async () => {
    backend.on('GET /api/v1/auth/me/', answer(200, { ...someUser, first_name: '', last_name: '' }))
    await openProfile()
    expect(await screen.findByRole('heading', { name: 'No name yet' })).toBeVisible()
  })

  test.each([
    [' +49 30 1234 ', '+49 30 1234'],
    [' ', null],
  ])('saves changes with the phone number "%s"', async (typed, phone) => {
    backend.on(update, answer(200, { ...someUser, first_name: 'Other', phone }))
    const user = await openProfile()
    await user.clear(screen.getByLabelText('First name'))
    await user.type(screen.getByLabelText('First name'), 'Other')
    await user.type(screen.getByLabelText('Phone'), typed)
    await user.press('Save changes')
    expect(await screen.findByRole('status')).toHaveTextContent('Changes saved.')
    expect(await screen.findByRole('heading', { name: 'Other User' })).toBeVisible()
    await expect(backend.sent(update)).resolves.toEqual([
      { first_name: 'Other', last_name: 'User', phone },
    ])
  })

  test('marks an invalid phone number', async () => {
    backend.on(update, invalid({ phone: '^[0-9]+$' }, 'string_pattern_mismatch'))
    const user = await openProfile()
    await user.type(screen.getByLabelText('Phone'), 'none')
    await user.press('Save changes')
    expect(await screen.findByText('Enter a valid value.')).toBeVisible()
    await expectFocus(() => screen.getByLabelText('Phone'))
  })

  test('opens the login page when the session has expired', async () => {
    backend.on(update, answer(401, {}))
    const user = await openProfile()
    backend.on('GET /api/v1/auth/me/', answer(401, {}))
    await user.press('Save changes')
    expect(await screen.findByText(/Your session has expired/)).toBeVisible()
  })
})

describe('password form', () => {
  async function changePassword() {
    const user = await openProfile()
    await user.type(screen.getByLabelText('Current password'), 'old-password')
    await user.type(screen.getByLabelText('New password'), 'new-password')
    await user.press('Change password')
  }

  test('confirms the change and clears the fields', async () => {
    backend.on(change, answer(204))
    await changePassword()
    expect(await screen.findByText(/^Password changed/)).toBeVisible()
    await waitFor(() => {
      expect(screen.getByLabelText('Current password')).toHaveValue('')
    })
    expect(screen.getByLabelText('New password')).toHaveValue('')
    await expect(backend.sent(change)).resolves.toEqual([
      { current_password: 'old-password', new_password: 'new-password' },
    ])
  })

  test('marks a wrong current password', async () => {
    backend.on(change, invalid({ current_password: 'The current password is wrong.' }))
    await changePassword()
    expect(await screen.findByText('The current password is wrong.')).toBeVisible()
    await expectFocus(() => screen.getByLabelText('Current password'))
  })
})
