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
  const { visitor } = renderApp('/sessions')
  await screen.findByRole('heading', { name: 'Chrome on Android' })
  return visitor
}

describe('the sessions', () => {
  test('tell which one is here, and can be ended elsewhere only', async () => {
    await openSessions()
    expect(await screen.findByRole('heading', { name: 'Firefox This device' })).toBeVisible()
    expect(screen.getAllByRole('button', { name: 'End session' })).toHaveLength(1)
  })

  test('are one less when one is ended', async () => {
    backend.on('DELETE /api/v1/auth/sessions/1/', answer(204))
    const visitor = await openSessions()
    backend.on(list, answer(200, { items: [here], next: null }))
    await visitor.press('End session')
    await waitFor(() => {
      expect(screen.getAllByRole('listitem')).toHaveLength(1)
    })
    expect(screen.getByRole('heading', { name: /^Firefox/ })).toBeVisible()
  })

  test('say when one could not be ended', async () => {
    backend.on('DELETE /api/v1/auth/sessions/1/', answer(500))
    const visitor = await openSessions()
    await visitor.press('End session')
    expect(await screen.findByText(/server is unavailable/)).toBeVisible()
  })

  test('cannot be ended twice', async () => {
    backend.on('DELETE /api/v1/auth/sessions/1/', silent)
    const visitor = await openSessions()
    await visitor.press('End session')
    expect(await screen.findByRole('button', { name: 'Ending…' })).toBeDisabled()
  })

  test('are ended everywhere else by one button', async () => {
    backend.on('DELETE /api/v1/auth/sessions/', answer(204))
    const visitor = await openSessions()
    await visitor.press('Sign out of other devices')
    expect(await screen.findByText('You are signed out on all other devices.')).toBeVisible()
    expect(backend.asked(list)).toHaveLength(2)
  })

  test('say when that failed', async () => {
    backend.on('DELETE /api/v1/auth/sessions/', answer(500))
    const visitor = await openSessions()
    await visitor.press('Sign out of other devices')
    expect(await screen.findByText(/server is unavailable/)).toBeVisible()
  })

  test('show that they are being ended', async () => {
    backend.on('DELETE /api/v1/auth/sessions/', silent)
    const visitor = await openSessions()
    await visitor.press('Sign out of other devices')
    expect(await screen.findByRole('button', { name: 'Signing out…' })).toBeDisabled()
  })
})
