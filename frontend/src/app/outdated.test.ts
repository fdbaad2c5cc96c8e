import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { reloadWhenOutdated } from '@/app/outdated'

reloadWhenOutdated()

beforeEach(() => {
  sessionStorage.clear()
  // Twice is soon by the clock of the test, however long the machine takes.
  vi.useFakeTimers({ toFake: ['Date'] })
})

afterEach(() => {
  vi.useRealTimers()
})

function missCode(): Event {
  const event = new Event('vite:preloadError', { cancelable: true })
  window.dispatchEvent(event)
  return event
}

test('code that is not there any more loads the newest page, once', () => {
  const reload = vi.spyOn(window.location, 'reload').mockImplementation(() => undefined)
  expect(missCode().defaultPrevented).toBe(true)
  expect(reload).toHaveBeenCalledOnce()
  expect(missCode().defaultPrevented).toBe(false)
  expect(reload).toHaveBeenCalledOnce()
})
