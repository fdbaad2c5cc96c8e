import { expect, test } from 'vitest'

import { loginPath, nextPath } from '@/lib/paths'

function nextPathOf(next: string): string {
  return nextPath(`?${new URLSearchParams({ next }).toString()}`)
}

test('loginPath keeps the next page', () => {
  const login = new URL(loginPath('/profile?from=mail#details'), window.location.origin)
  expect(nextPath(login.search)).toBe('/profile?from=mail#details')
})

test('nextPath defaults to the home page', () => {
  expect(nextPath('')).toBe('/')
})

test.each([
  'https://example.com/',
  '//example.com',
  '/\\example.com',
  'javascript:alert(1)',
  'http://',
])('nextPath ignores %s', (next) => {
  expect(nextPathOf(next)).toBe('/')
})

test('nextPath does not open a host', () => {
  expect(nextPathOf('/.//example.com')).toBe('/example.com')
})
