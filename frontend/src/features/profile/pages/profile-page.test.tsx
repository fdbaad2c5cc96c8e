import { screen, waitFor } from '@testing-library/react'
import { beforeEach, describe, expect, test } from 'vitest'

import { productName } from '@/lib/product'
import {
  answer,
  silent,
  someUser,
  startFakeBackend,
  type FakeBackend,
} from '@/testing/fake-backend'
import { renderApp } from '@/testing/render-app'

let backend: FakeBackend

beforeEach(() => {
  backend = startFakeBackend()
  backend.me(answer(200, someUser))
})

async function openProfile() {
  const { visitor } = renderApp('/')
  const refresh = await screen.findByRole('button', { name: 'Refresh' })
  return { refresh: () => visitor.click(refresh) }
}

describe('the profile', () => {
  test('takes the focus and names the tab', async () => {
    await openProfile()
    expect(screen.getByRole('heading', { name: 'Your profile' })).toHaveFocus()
    expect(document.title).toBe(`Your profile · ${productName}`)
  })

  test('shows what the server knows of the user', async () => {
    await openProfile()
    expect(screen.getAllByRole('definition').map(({ textContent }) => textContent)).toEqual([
      'Some User',
      'user@example.com',
      '7',
    ])
  })

  test('shows what has changed after a refresh', async () => {
    const { refresh } = await openProfile()
    backend.me(answer(200, { ...someUser, first_name: '', last_name: '' }))
    await refresh()
    expect(await screen.findByText('Not given')).toBeVisible()
    expect(screen.getByRole('heading', { level: 2 })).toHaveTextContent('user@example.com')
  })

  test('cannot be refreshed twice at once', async () => {
    const { refresh } = await openProfile()
    backend.me(silent)
    await refresh()
    expect(screen.getByRole('button', { name: 'Refreshing…' })).toBeDisabled()
  })

  test('stays, with a warning, when the server is down', async () => {
    const { refresh } = await openProfile()
    backend.me(answer(500))
    await refresh()
    expect(await screen.findByText(/may be out of date/)).toBeVisible()
    expect(screen.getByRole('heading', { name: 'Some User' })).toBeVisible()
  })

  test('explains a session that has expired, until the next login', async () => {
    const { refresh } = await openProfile()
    backend.me(answer(401))
    await refresh()
    await waitFor(() => {
      expect(screen.getByRole('status')).toHaveTextContent('Your session has expired.')
    })
  })
})
