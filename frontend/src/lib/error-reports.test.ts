import { waitFor } from '@testing-library/react'
import { beforeEach, expect, test, vi } from 'vitest'

import { captureException, init } from '@/lib/sentry'
import { answer, startFakeBackend, type FakeBackend } from '@/testing/fake-backend'

vi.mock('@/lib/sentry')

const dsn = 'https://key@sentry.example.com/1'
const where = { environment: 'staging', release: 'v1.2.3' }
const configured = answer(200, { ...where, sentryDsn: dsn })
let backend: FakeBackend

beforeEach(() => {
  vi.resetModules()
  vi.mocked(init).mockClear()
  vi.mocked(captureException).mockClear()
  backend = startFakeBackend()
  backend.on('GET /config.json', configured)
})

async function load() {
  return import('@/lib/error-reports')
}

test('reportError sends errors to the configured DSN', async () => {
  const { reportError } = await load()
  reportError('first')
  reportError('second')
  await waitFor(() => {
    expect(vi.mocked(captureException).mock.calls).toEqual([['first'], ['second']])
  })
  expect(init).toHaveBeenCalledExactlyOnceWith({ dsn, ...where })
  expect(backend.requests).toHaveLength(1)
})

test.each([
  ['has no DSN', answer(200, { ...where, sentryDsn: '' })],
  ['is missing', answer(404)],
])('reportError does nothing when the configuration %s', async (_, configuration) => {
  backend.on('GET /config.json', configuration)
  const unreported = await load()
  unreported.reportError('an error')
  await waitFor(() => {
    expect(backend.requests).toHaveLength(1)
  })
  // When a later error has arrived, the earlier one would have arrived, too.
  backend.on('GET /config.json', configured)
  vi.resetModules()
  const somewhere = await load()
  somewhere.reportError('another error')
  await waitFor(() => {
    expect(captureException).toHaveBeenCalledWith('another error')
  })
  expect(captureException).toHaveBeenCalledOnce()
  expect(init).toHaveBeenCalledOnce()
})

test('reportUncaughtErrors reports errors and rejections', async () => {
  const { reportUncaughtErrors } = await load()
  reportUncaughtErrors()
  window.dispatchEvent(new ErrorEvent('error', { error: 'thrown' }))
  window.dispatchEvent(Object.assign(new Event('unhandledrejection'), { reason: 'rejected' }))
  await waitFor(() => {
    expect(vi.mocked(captureException).mock.calls).toEqual([['thrown'], ['rejected']])
  })
})
