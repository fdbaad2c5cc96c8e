import { expect, test } from 'vitest'

import { loginPath, wantedPath } from '@/lib/paths'

function wantedAfter(next: string): string {
  return wantedPath(`?${new URLSearchParams({ next }).toString()}`)
}

test('the login page remembers which page was wanted', () => {
  const login = new URL(loginPath('/profile?from=mail#details'), window.location.origin)
  expect(wantedPath(login.search)).toBe('/profile?from=mail#details')
})

test('without a wanted page, the way leads home', () => {
  expect(wantedPath('')).toBe('/')
})

test.each([
  'https://example.com/',
  '//example.com',
  '/\\example.com',
  'javascript:alert(1)',
  'http://',
])('the address %s does not lead away from this site', (next) => {
  expect(wantedAfter(next)).toBe('/')
})

test('a path that looks like a host is none', () => {
  expect(wantedAfter('/.//example.com')).toBe('/example.com')
})
