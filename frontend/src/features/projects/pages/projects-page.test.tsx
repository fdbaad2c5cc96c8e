import { screen, waitFor } from '@testing-library/react'
import { beforeEach, describe, expect, test } from 'vitest'

import { answer, invalid, silent, startFakeBackend, type FakeBackend } from '@/testing/fake-backend'
import { expectFocus } from '@/testing/focus'
import { renderApp } from '@/testing/render-app'

const list = 'GET /api/v1/projects/'
const create = 'POST /api/v1/projects/'
const remove = 'DELETE /api/v1/projects/1/'
const created = '2026-01-01T12:00:00Z'
const apollo = { id: 1, name: 'Apollo', created }
const gemini = { id: 2, name: 'Gemini', created }
let backend: FakeBackend

beforeEach(() => {
  backend = startFakeBackend()
  backend.signIn()
})

function pageOf(...items: (typeof apollo)[]) {
  return answer(200, { items, next: null })
}

async function openProjects() {
  const { user } = renderApp('/projects')
  await screen.findByRole('heading', { name: 'Your projects' })
  return user
}

describe('projects page', () => {
  test('shows a loading message', async () => {
    backend.on(list, silent)
    await openProjects()
    expect(await screen.findByText('Loading projects…')).toHaveRole('status')
  })

  test('shows an empty list', async () => {
    backend.on(list, pageOf())
    await openProjects()
    expect(await screen.findByText(/No projects yet/)).toBeVisible()
  })

  test('loads after a retry', async () => {
    backend.on(list, answer(500))
    const user = await openProjects()
    expect(await screen.findByText(/server is unavailable/)).toBeVisible()
    backend.on(list, pageOf(apollo))
    await user.press('Try again')
    expect(await screen.findByRole('heading', { name: 'Apollo' })).toBeVisible()
  })

  test('loads more pages', async () => {
    backend.on(list, answer(200, { items: [gemini], next: 2 }))
    const user = await openProjects()
    await screen.findByRole('button', { name: 'Show more' })
    backend.on(list, silent)
    await user.press('Show more')
    expect(await screen.findByRole('button', { name: 'Loading…' })).toBeDisabled()
    await waitFor(() => {
      expect(backend.requestsTo(list).map(({ url }) => new URL(url).search)).toEqual([
        '?limit=10',
        '?limit=10&before=2',
      ])
    })
  })

  test('adds a project and clears the form', async () => {
    backend.on(create, answer(201, apollo))
    const user = await openProjects()
    await user.type(screen.getByLabelText('Project name'), 'Apollo')
    backend.on(list, pageOf(apollo))
    await user.press('Add project')
    expect(await screen.findByRole('heading', { name: 'Apollo' })).toBeVisible()
    await expectFocus(() => screen.getByLabelText('Project name'))
    expect(screen.getByLabelText('Project name')).toHaveValue('')
    await expect(backend.sent(create)).resolves.toEqual([{ name: 'Apollo' }])
  })

  test('marks an empty name', async () => {
    backend.on(create, invalid({ name: 'at least 1' }, 'string_too_short'))
    const user = await openProjects()
    await user.type(screen.getByLabelText('Project name'), ' ')
    await user.press('Add project')
    expect(await screen.findByText('This field is required.')).toBeVisible()
    await expectFocus(() => screen.getByLabelText('Project name'))
  })
})

describe('project deletion', () => {
  async function askToDelete() {
    backend.on(list, pageOf(apollo))
    const user = await openProjects()
    await user.press('Delete Apollo')
    return user
  }
  const confirm = 'Delete permanently Apollo'

  test('asks for confirmation', async () => {
    backend.on(remove, answer(204))
    const user = await askToDelete()
    await screen.findByRole('button', { name: confirm })
    expect(backend.requestsTo(remove)).toEqual([])
    backend.on(list, pageOf())
    await user.press(confirm)
    expect(await screen.findByText(/No projects yet/)).toBeVisible()
    expect(backend.requestsTo(remove)).toHaveLength(1)
  })

  test('can be cancelled', async () => {
    const user = await askToDelete()
    await user.press('Keep Apollo')
    await screen.findByRole('button', { name: 'Delete Apollo' })
    expect(screen.queryByRole('button', { name: confirm })).not.toBeInTheDocument()
  })

  test('is disabled while deleting', async () => {
    backend.on(remove, silent)
    const user = await askToDelete()
    await user.press(confirm)
    expect(await screen.findByRole('button', { name: 'Deleting… Apollo' })).toBeDisabled()
  })

  test('shows an error', async () => {
    backend.on(remove, answer(404, {}))
    const user = await askToDelete()
    await user.press(confirm)
    expect(await screen.findByText('This no longer exists.')).toBeVisible()
  })
})
