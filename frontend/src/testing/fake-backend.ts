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

export function answer(status: number, body?: unknown): Answer {
  return () =>
    body === undefined ? new Response(null, { status }) : Response.json(body, { status })
}

export const unreachable: Answer = () => Promise.reject(new TypeError('Failed to fetch'))
export const silent: Answer = () => new Promise<never>(() => undefined)

const path = '/api/v1/auth'

/** Stands in for the network. Each endpoint answers as it was told last; at first, nobody is signed in. */
export function startFakeBackend() {
  const requests: Request[] = []
  const answers: Record<string, Answer> = {
    [`GET ${path}/me/`]: answer(401, { detail: 'Unauthorized' }),
    [`POST ${path}/login/`]: answer(200, someUser),
    [`POST ${path}/logout/`]: answer(204),
  }
  vi.stubGlobal('fetch', async (request: Request) => {
    requests.push(request)
    const respond = answers[`${request.method} ${new URL(request.url).pathname}`]
    return respond === undefined ? new Response(null, { status: 404 }) : respond(request)
  })
  return {
    requests,
    me: (respond: Answer) => (answers[`GET ${path}/me/`] = respond),
    login: (respond: Answer) => (answers[`POST ${path}/login/`] = respond),
    logout: (respond: Answer) => (answers[`POST ${path}/logout/`] = respond),
  }
}

export type FakeBackend = ReturnType<typeof startFakeBackend>
