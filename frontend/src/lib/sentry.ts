// What we use of Sentry, by name: an import of the whole would fetch the whole.
export { captureException, init } from '@sentry/browser'
