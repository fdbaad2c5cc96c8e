import { beforeEach, expect, test, vi } from 'vitest'

import { captureException, init } from '@/lib/sentry'
import { answer, startFakeBackend, type FakeBackend } from '@/testing/fake-backend'

vi.mock('@/lib/sentry')

const dsn = 'https://key@sentry.example.com/1'
const where = { environment: 'staging', release: 'v1.2.3' }
let backend: FakeBackend

beforeEach(() => {
  vi.resetModules()
  vi.mocked(init).mockClear()
  vi.mocked(captureException).mockClear()
  backend = startFakeBackend()
  backend.on('GET /config.json', answer(200, { ...where, sentryDsn: dsn }))
})

async function load() {
  return import('@/lib/error-reports')
}

test('errors are reported to where the configuration says, which is read once', async () => {
  const { reportError } = await load()
  reportError('first')
  reportError('second')
  await vi.waitFor(() => {
    expect(vi.mocked(captureException).mock.calls).toEqual([['first'], ['second']])
  })
  expect(init).toHaveBeenCalledExactlyOnceWith({ dsn, ...where })
  expect(backend.requests).toHaveLength(1)
})

test.each([
  ['says nowhere', answer(200, { ...where, sentryDsn: '' })],
  ['is not there', answer(404)],
])('errors are not reported when the configuration %s', async (_, configuration) => {
  backend.on('GET /config.json', configuration)
  const { reportError } = await load()
  reportError('an error')
  await vi.waitFor(() => {
    expect(backend.requests).toHaveLength(1)
  })
  expect(init).not.toHaveBeenCalled()
})

test('what nobody caught is reported too', async () => {
  const { reportUncaughtErrors } = await load()
  reportUncaughtErrors()
  window.dispatchEvent(new ErrorEvent('error', { error: 'thrown' }))
  window.dispatchEvent(Object.assign(new Event('unhandledrejection'), { reason: 'rejected' }))
  await vi.waitFor(() => {
    expect(vi.mocked(captureException).mock.calls).toEqual([['thrown'], ['rejected']])
  })
})
