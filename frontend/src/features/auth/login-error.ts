import { statusOf } from '@/lib/api/client'

const messages: Partial<Record<number, string>> = {
  401: 'The email address or the password is wrong.',
  403: 'Your browser and the server disagreed about your session. Please try again.',
  422: 'Please enter a valid email address and a password.',
  429: 'Too many attempts. Please wait a minute before you try again.',
}

const unreachable = 'The server cannot be reached. Please try again in a moment.'

export function loginErrorMessage(error: Error): string {
  return messages[statusOf(error) ?? 0] ?? unreachable
}

/** Whether other credentials would help, and so the fields are to blame. */
export function blamesCredentials(error: Error): boolean {
  return [401, 422].includes(statusOf(error) ?? 0)
}
