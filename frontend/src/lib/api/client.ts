import createClient from 'openapi-fetch'

import { csrfMiddleware } from '@/lib/api/csrf'
import type { components, paths } from '@/lib/api/schema'

export type User = components['schemas']['UserOut']

/** A server that does not answer within this time counts as down. */
const timeoutMilliseconds = 15_000

export const api = createClient<paths>({
  baseUrl: window.location.origin,
  fetch: (request) =>
    fetch(request, {
      signal: AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMilliseconds)]),
    }),
})

api.use(csrfMiddleware)

/** An answer of the server that is not a success. Any other error means that there was no usable answer at all. */
export class ApiError extends Error {
  readonly status: number

  constructor(status: number) {
    super(`The server answered with status ${String(status)}.`)
    this.name = 'ApiError'
    this.status = status
  }
}

export function statusOf(error: unknown): number | undefined {
  return error instanceof ApiError ? error.status : undefined
}

interface Answer<Data> {
  data?: Data
  response: Response
}

/** The body of a successful answer; throws an ApiError for every other one. */
export async function expectSuccess<Data>(call: Promise<Answer<Data>>): Promise<Data | undefined> {
  const { data, response } = await call
  if (!response.ok) throw new ApiError(response.status)
  return data
}

/** As expectSuccess, for calls that answer with a body. */
export async function expectData<Data>(call: Promise<Answer<Data>>): Promise<Data> {
  const data = await expectSuccess(call)
  if (data === undefined) throw new Error('The server answered without a body.')
  return data
}
