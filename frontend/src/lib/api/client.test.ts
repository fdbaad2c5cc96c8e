import { beforeEach, expect, test } from 'vitest'

import { api, expectData } from '@/lib/api/client'
import { statusOf } from '@/lib/api/problem'
import { answer, startFakeBackend, type FakeBackend } from '@/testing/fake-backend'

let backend: FakeBackend

beforeEach(() => {
  backend = startFakeBackend()
  document.cookie = 'csrftoken=; max-age=-1'
})

test('expectData throws an ApiError for an error response', async () => {
  backend.on('GET /api/v1/auth/me/', answer(418, { detail: 'no' }))
  const error: unknown = await expectData(api.GET('/api/v1/auth/me/')).catch(
    (reason: unknown) => reason,
  )
  expect(statusOf(error)).toBe(418)
  expect(error).toHaveProperty('message', 'The server responded with status 418.')
})

test('expectData throws without a body', async () => {
  backend.on('GET /api/v1/auth/me/', answer(204))
  await expect(expectData(api.GET('/api/v1/auth/me/'))).rejects.toThrow('without a body')
})

test('GET request has no CSRF token', async () => {
  document.cookie = 'csrftoken=a-token'
  await api.GET('/api/v1/auth/me/')
  expect(backend.requests[0]?.headers.has('X-CSRFToken')).toBe(false)
})

test('POST request without a CSRF cookie has no token', async () => {
  await api.POST('/api/v1/auth/logout/')
  expect(backend.requests[0]?.headers.has('X-CSRFToken')).toBe(false)
})
