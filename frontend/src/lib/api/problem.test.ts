import { expect, test } from 'vitest'

import { ApiError, fieldFaults, problemMessage, statusOf } from '@/lib/api/problem'

function refused(status: number, body: unknown = {}, headers: HeadersInit = {}): ApiError {
  return new ApiError(new Response(null, { status, headers }), body)
}

function faults(...errors: { type?: string; loc: (string | number)[]; msg: string }[]) {
  return fieldFaults(refused(422, { errors: errors.map((error) => ({ type: 'other', ...error })) }))
}

test('each field has the sentences that the server says of it', () => {
  expect(
    faults(
      { loc: ['body', 'password'], msg: 'This password is too short.' },
      { loc: ['body', 'password'], msg: 'This password is too common' },
      { loc: ['body', 'email'], msg: 'Enter a valid address.' },
    ),
  ).toEqual({
    password: 'This password is too short. This password is too common.',
    email: 'Enter a valid address.',
  })
})

test.each([
  ['string_pattern_mismatch', 'Enter a valid value.'],
  ['string_too_long', 'This is too long. Shorten it.'],
  ['string_too_short', 'This field is required.'],
])('the rule %s is put in the words of people', (type, sentence) => {
  expect(faults({ type, loc: ['body', 'name'], msg: '^[a-z]{3}$' })).toEqual({ name: sentence })
})

test.each([undefined, null, 'Bad Gateway', {}, { errors: 'many' }])(
  'an answer with the body %j blames no field',
  (body) => {
    expect(fieldFaults(refused(502, body))).toEqual({})
  },
)

test('a lost connection blames no field, and has no status', () => {
  expect(fieldFaults(new TypeError('Failed to fetch'))).toEqual({})
  expect(statusOf(new TypeError('Failed to fetch'))).toBeUndefined()
})

test.each([
  [403, /could not be verified/],
  [404, /no longer exists/],
  [413, /too large/],
  [422, /highlighted fields/],
  [500, /server is unavailable/],
])('the answer %i has a sentence', (status, sentence) => {
  expect(problemMessage(refused(status))).toMatch(sentence)
})

test('a page may have words of its own', () => {
  expect(problemMessage(refused(404), { 404: 'Somebody else was faster.' })).toBe(
    'Somebody else was faster.',
  )
})

test.each([
  [{}, '1 minute.'],
  [{ 'Retry-After': '61' }, '2 minutes.'],
])('whoever tried too often is told when to come back: %j', (headers, sentence) => {
  expect(problemMessage(refused(429, {}, headers))).toContain(sentence)
})
