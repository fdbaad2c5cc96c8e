import { screen, waitFor } from '@testing-library/react'
import { beforeEach, describe, expect, test } from 'vitest'

import { answer, silent, startFakeBackend, type FakeBackend } from '@/testing/fake-backend'
import { renderApp } from '@/testing/render-app'

const list = 'GET /api/v1/auth/sessions/'
const time = '2026-01-01T12:00:00Z'
const here = { id: 2, user_agent: 'Firefox', created: time, last_seen: time, current: true }
const there = { ...here, id: 1, user_agent: 'Chrome Android', current: false }
let backend: FakeBackend

beforeEach(() => {
  backend = startFakeBackend()
  backend.signIn()
  backend.on(list, answer(200, { items: [here, there], next: null }))
})

async function openSessions() {
  const { user } = renderApp('/sessions')
  await screen.findByRole('heading', { name: 'Chrome on Android' })
  return user
}

describe('sessions page', () => {
  test('marks the current session, which has no end button', async () => {
    await openSessions()
    expect(await screen.findByRole('heading', { name: 'Firefox This device' })).toBeVisible()
    expect(screen.getAllByRole('button', { name: 'End session' })).toHaveLength(1)
  })

  test('removes an ended session', async () => {
    backend.on('DELETE /api/v1/auth/sessions/1/', answer(204))
    const user = await openSessions()
    backend.on(list, answer(200, { items: [here], next: null }))
    await user.press('End session')
    await waitFor(() => {
      expect(screen.getAllByRole('listitem')).toHaveLength(1)
    })
    expect(screen.getByRole('heading', { name: /^Firefox/ })).toBeVisible()
  })

  test('shows an error if a session could not be ended', async () => {
    backend.on('DELETE /api/v1/auth/sessions/1/', answer(500))
    const user = await openSessions()
    await user.press('End session')
    expect(await screen.findByText(/server is unavailable/)).toBeVisible()
  })

  test('disables the button while ending a session', async () => {
    backend.on('DELETE /api/v1/auth/sessions/1/', silent)
    const user = await openSessions()
    await user.press('End session')
    expect(await screen.findByRole('button', { name: 'Ending…' })).toBeDisabled()
  })

  test('ends all other sessions', async () => {
    backend.on('DELETE /api/v1/auth/sessions/', answer(204))
    const user = await openSessions()
    await user.press('Sign out of other devices')
    expect(await screen.findByText('You are signed out on all other devices.')).toBeVisible()
    expect(backend.requestsTo(list)).toHaveLength(2)
  })

  test('shows an error if other sessions could not be ended', async () => {
    backend.on('DELETE /api/v1/auth/sessions/', answer(500))
    const user = await openSessions()
    await user.press('Sign out of other devices')
    expect(await screen.findByText(/server is unavailable/)).toBeVisible()
  })

  test('disables the button while ending other sessions', async () => {
    backend.on('DELETE /api/v1/auth/sessions/', silent)
    const user = await openSessions()
    await user.press('Sign out of other devices')
    expect(await screen.findByRole('button', { name: 'Signing out…' })).toBeDisabled()
  })
})
