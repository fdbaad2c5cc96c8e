import { readConfiguration } from '@/lib/configuration'

type Capture = (error: unknown) => void

/** Fetched after an error only, and only where errors are reported: nobody else has to load it. */
async function startSentry(): Promise<Capture | undefined> {
  const { sentryDsn: dsn, ...rest } = await readConfiguration()
  if (!dsn) return undefined
  const { captureException, init } = await import('@/lib/sentry')
  init({ dsn, ...rest })
  return captureException
}

let capture: Promise<Capture | undefined> | undefined

/** Reports an error to Sentry, if this deployment has one. What goes wrong with that must not be a second error. */
export function reportError(error: unknown): void {
  capture ??= startSentry().catch(() => undefined)
  void capture.then((report) => report?.(error))
}

/** Reports what no page caught. */
export function reportUncaughtErrors(): void {
  window.addEventListener('error', ({ error }) => {
    reportError(error)
  })
  window.addEventListener('unhandledrejection', ({ reason }) => {
    reportError(reason)
  })
}
