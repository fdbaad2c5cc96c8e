import type { components } from '@/lib/api/schema'

type Fault = components['schemas']['InvalidFieldOut']

/** An answer of the server that is not a success. Any other error means that there was no usable answer at all. */
export class ApiError extends Error {
  readonly status: number
  readonly faults: readonly Fault[]
  readonly retryAfterSeconds: number

  constructor({ status, headers }: Response, body: unknown) {
    super(`The server responded with status ${String(status)}.`)
    this.name = 'ApiError'
    this.status = status
    this.faults = faultsIn(body)
    this.retryAfterSeconds = Number(headers.get('Retry-After') ?? 0)
  }
}

/** A proxy on the way may have answered with anything. */
function faultsIn(body: unknown): readonly Fault[] {
  const { errors } = (typeof body === 'object' && body !== null ? body : {}) as { errors?: Fault[] }
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

/** What is wrong with each field, by the field's name. */
export function fieldFaults(error: unknown): Partial<Record<string, string>> {
  const found: Partial<Record<string, string>> = {}
  if (!(error instanceof ApiError)) return found
  for (const { type, loc, msg } of error.faults) {
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

/** One sentence for a person. A page may have words of its own for an answer. */
export function problemMessage(error: Error, own: Messages = {}): string {
  if (error instanceof ApiError && error.status === 429) return tryAgainIn(error.retryAfterSeconds)
  const status = statusOf(error) ?? 0
  return own[status] ?? messages[status] ?? unreachable
}

function tryAgainIn(seconds: number): string {
  const minutes = Math.max(1, Math.ceil(seconds / 60))
  return `Too many attempts. Try again in ${String(minutes)} ${minutes === 1 ? 'minute' : 'minutes'}.`
}
