import type { Middleware } from 'openapi-fetch'

const cookieName = 'csrftoken'
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

function csrfToken(): string | undefined {
  return document.cookie
    .split('; ')
    .find((cookie) => cookie.startsWith(`${cookieName}=`))
    ?.slice(cookieName.length + 1)
}

/** Copies Django's CSRF cookie to the header. Reads it at each request, because the token changes at login. */
export const csrfMiddleware: Middleware = {
  onRequest({ request }) {
    const token = csrfToken()
    if (token !== undefined && !safeMethods.has(request.method)) {
      request.headers.set('X-CSRFToken', token)
    }
    return request
  },
}
