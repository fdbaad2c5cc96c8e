import { expect, test } from 'vitest'

import { fullName, initials } from '@/features/profile/name'
import { someUser } from '@/testing/fake-backend'

test.each([
  { first_name: 'Some', last_name: 'User', name: 'Some User', letters: 'SU' },
  { first_name: '', last_name: 'User', name: 'User', letters: 'U' },
  { first_name: '𝔖ome', last_name: '', name: '𝔖ome', letters: '𝔖' },
  { first_name: '', last_name: '', name: undefined, letters: 'U' },
])('fullName and initials of "$first_name" "$last_name"', ({ name, letters, ...names }) => {
  const user = { ...someUser, ...names }
  expect(fullName(user)).toBe(name)
  expect(initials(user)).toBe(letters)
})
