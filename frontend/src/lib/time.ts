const format = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })

/** Formats an ISO 8601 time of the API in the locale and time zone of the browser. */
export function localTime(time: string): string {
  return format.format(new Date(time))
}
