import createClient from 'openapi-fetch'

import { csrfMiddleware } from '@/lib/api/csrf'
import { ApiError } from '@/lib/api/problem'
import type { components, paths } from '@/lib/api/schema'

export type User = components['schemas']['UserOut']
export type Session = components['schemas']['SessionOut']
export type Project = components['schemas']['ProjectOut']
export type Subscription = components['schemas']['SubscriptionOut'] // billing

/** Requests fail after this time. */
const timeoutMilliseconds = 15_000

export const api = createClient<paths>({
  baseUrl: window.location.origin,
  fetch: (request) =>
    fetch(request, {
      signal: AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMilliseconds)]),
    }),
})

api.use(csrfMiddleware)

interface Answer<Data> {
  data?: Data
  error?: unknown
  response: Response
}

/** Returns the body of a successful response; throws an ApiError for any other response. */
export async function expectSuccess<Data>(call: Promise<Answer<Data>>): Promise<Data | undefined> {
  const { data, error, response } = await call
  if (!response.ok) throw new ApiError(response, error)
  return data
}

/** Like expectSuccess, for responses that must have a body. */
export async function expectData<Data>(call: Promise<Answer<Data>>): Promise<Data> {
  const data = await expectSuccess(call)
  if (data === undefined) throw new Error('The server responded without a body.')
  return data
}
