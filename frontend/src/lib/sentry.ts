// Named exports, so that the bundle contains only these parts of Sentry.
export { captureException, init } from '@sentry/browser'
