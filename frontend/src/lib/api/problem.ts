import type { components } from '@/lib/api/schema'

type FieldError = components['schemas']['InvalidFieldOut']

/** An error response of the server. Any other error means that there was no response. */
export class ApiError extends Error {
  readonly status: number
  readonly fieldErrors: readonly FieldError[]
  readonly retryAfterSeconds: number

  constructor({ status, headers }: Response, body: unknown) {
    super(`The server responded with status ${String(status)}.`)
    this.name = 'ApiError'
    this.status = status
    this.fieldErrors = errorsIn(body)
    this.retryAfterSeconds = Number(headers.get('Retry-After') ?? 0)
  }
}

/** Returns the field errors of a body. Its type is unknown, as a proxy may have sent it. */
function errorsIn(body: unknown): readonly FieldError[] {
  const { errors } = (typeof body === 'object' && body !== null ? body : {}) as {
    errors?: FieldError[]
  }
  return Array.isArray(errors) ? errors : []
}

export function statusOf(error: unknown): number | undefined {
  return error instanceof ApiError ? error.status : undefined
}

const rules: Partial<Record<string, string>> = {
  string_pattern_mismatch: 'Enter a valid value.',
  string_too_long: 'This is too long. Shorten it.',
  string_too_short: 'This field is required.',
}

/** Returns the error message of each invalid field, by field name. */
export function fieldErrors(error: unknown): Partial<Record<string, string>> {
  const found: Partial<Record<string, string>> = {}
  if (!(error instanceof ApiError)) return found
  for (const { type, loc, msg } of error.fieldErrors) {
    const name = String(loc.at(-1))
    const sentence = rules[type] ?? msg.replace(/[^.]$/, '$&.')
    found[name] = [found[name], sentence].filter(Boolean).join(' ')
  }
  return found
}

export type Messages = Partial<Record<number, string>>

const messages: Messages = {
  401: 'Your session has expired. Sign in again.',
  403: 'Your session could not be verified. Try again.',
  404: 'This no longer exists.',
  413: 'Your input is too large. Shorten it and try again.',
  422: 'Check the highlighted fields.',
}

const unreachable = 'The server is unavailable. Try again in a moment.'

/** Returns an error message for the user. A page can override messages by status. */
export function problemMessage(error: Error, own: Messages = {}): string {
  if (error instanceof ApiError && error.status === 429)
    return throttledMessage(error.retryAfterSeconds)
  const status = statusOf(error) ?? 0
  return own[status] ?? messages[status] ?? unreachable
}

function throttledMessage(seconds: number): string {
  const minutes = Math.max(1, Math.ceil(seconds / 60))
  return `Too many attempts. Try again in ${String(minutes)} ${minutes === 1 ? 'minute' : 'minutes'}.`
}
