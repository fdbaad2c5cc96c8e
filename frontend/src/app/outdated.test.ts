import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { reloadWhenOutdated } from '@/app/outdated'

reloadWhenOutdated()

beforeEach(() => {
  sessionStorage.clear()
  // With fake time, both errors are within the interval on a slow machine, too.
  vi.useFakeTimers({ toFake: ['Date'] })
})

afterEach(() => {
  vi.useRealTimers()
})

function failPreload(): Event {
  const event = new Event('vite:preloadError', { cancelable: true })
  window.dispatchEvent(event)
  return event
}

test('a missing chunk reloads the page once', () => {
  const reload = vi.spyOn(window.location, 'reload').mockImplementation(() => undefined)
  expect(failPreload().defaultPrevented).toBe(true)
  expect(reload).toHaveBeenCalledOnce()
  expect(failPreload().defaultPrevented).toBe(false)
  expect(reload).toHaveBeenCalledOnce()
})
