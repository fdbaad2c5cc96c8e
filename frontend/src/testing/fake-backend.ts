import { vi } from 'vitest'

import type { User } from '@/lib/api/client'

export const someUser: User = {
  id: 7,
  email: 'user@example.com',
  first_name: 'Some',
  last_name: 'User',
  phone: null,
}

type Answer = (request: Request) => Response | Promise<Response>
type Operation = `${'GET' | 'POST' | 'PATCH' | 'DELETE'} /${string}`

export function answer(status: number, body?: unknown, headers: HeadersInit = {}): Answer {
  return () =>
    body === undefined
      ? new Response(null, { status, headers })
      : Response.json(body, { status, headers })
}

/** A 422 response with an error message for each field. */
export function invalid(messages: Record<string, string>, type = 'value_error'): Answer {
  const errors = Object.entries(messages).map(([name, msg]) => ({ type, loc: ['body', name], msg }))
  return answer(422, { title: 'Unprocessable Content', status: 422, detail: 'no', errors })
}

export const unreachable: Answer = () => Promise.reject(new TypeError('Failed to fetch'))
export const silent: Answer = () => new Promise<never>(() => undefined)

/** Replaces `fetch`. `on` sets the response of an operation; initially the user is a guest. */
export function startFakeBackend() {
  const requests: Request[] = []
  const answers: Partial<Record<string, Answer>> = {
    'GET /api/v1/auth/me/': answer(401, { detail: 'Unauthorized' }),
    'GET /api/v1/projects/': answer(200, { items: [], next: null }),
  }
  vi.stubGlobal('fetch', async (input: Request | string) => {
    const request = new Request(input instanceof Request ? input : new URL(input, location.origin))
    requests.push(request.clone())
    const respond = answers[`${request.method} ${new URL(request.url).pathname}`]
    return respond === undefined ? new Response(null, { status: 404 }) : respond(request)
  })

  function on(operation: Operation, respond: Answer): void {
    answers[operation] = respond
  }

  function requestsTo(operation: Operation): Request[] {
    return requests.filter(({ method, url }) => operation === `${method} ${new URL(url).pathname}`)
  }

  return {
    on,
    requests,
    requestsTo,
    /** The request bodies of one operation. */
    sent: (operation: Operation): Promise<unknown[]> =>
      Promise.all(requestsTo(operation).map((request) => request.clone().json())),
    signIn: () => {
      on('GET /api/v1/auth/me/', answer(200, someUser))
    },
  }
}

export type FakeBackend = ReturnType<typeof startFakeBackend>
