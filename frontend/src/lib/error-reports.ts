import { readConfiguration } from '@/lib/configuration'

type Capture = (error: unknown) => void

/** Loads Sentry after the first error only, and only if a DSN is configured, to save bandwidth. */
async function startSentry(): Promise<Capture | undefined> {
  const { sentryDsn: dsn, ...rest } = await readConfiguration()
  if (!dsn) return undefined
  const { captureException, init } = await import('@/lib/sentry')
  init({ dsn, ...rest })
  return captureException
}

let capture: Promise<Capture | undefined> | undefined

/** Reports an error to Sentry, if a DSN is configured. Ignores failures, so that they cause no second error. */
export function reportError(error: unknown): void {
  capture ??= startSentry().catch(() => undefined)
  void capture.then((report) => report?.(error))
}

/** Reports errors and promise rejections that are not caught. */
export function reportUncaughtErrors(): void {
  window.addEventListener('error', ({ error }) => {
    reportError(error)
  })
  window.addEventListener('unhandledrejection', ({ reason }) => {
    reportError(reason)
  })
}
