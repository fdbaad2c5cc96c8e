import { expect, test } from 'vitest'

import { ApiError, fieldErrors, problemMessage, statusOf } from '@/lib/api/problem'

function refused(status: number, body: unknown = {}, headers: HeadersInit = {}): ApiError {
  return new ApiError(new Response(null, { status, headers }), body)
}

function errorsOf(...errors: { type?: string; loc: (string | number)[]; msg: string }[]) {
  return fieldErrors(refused(422, { errors: errors.map((error) => ({ type: 'other', ...error })) }))
}

test('fieldErrors joins the messages of each field', () => {
  expect(
    errorsOf(
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
])('fieldErrors translates %s', (type, sentence) => {
  expect(errorsOf({ type, loc: ['body', 'name'], msg: '^[a-z]{3}$' })).toEqual({ name: sentence })
})

test.each([undefined, null, 'Bad Gateway', {}, { errors: 'many' }])(
  'fieldErrors is empty for the body %j',
  (body) => {
    expect(fieldErrors(refused(502, body))).toEqual({})
  },
)

test('network error has no field errors and no status', () => {
  expect(fieldErrors(new TypeError('Failed to fetch'))).toEqual({})
  expect(statusOf(new TypeError('Failed to fetch'))).toBeUndefined()
})

test.each([
  [403, /could not be verified/],
  [404, /no longer exists/],
  [413, /too large/],
  [422, /highlighted fields/],
  [500, /server is unavailable/],
])('problemMessage for status %i', (status, sentence) => {
  expect(problemMessage(refused(status))).toMatch(sentence)
})

test('problemMessage of the page takes precedence', () => {
  expect(problemMessage(refused(404), { 404: 'Already deleted.' })).toBe('Already deleted.')
})

test.each([
  [{}, '1 minute.'],
  [{ 'Retry-After': '61' }, '2 minutes.'],
])('problemMessage for 429 has the time to wait: %j', (headers, sentence) => {
  expect(problemMessage(refused(429, {}, headers))).toContain(sentence)
})
