const format = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })

/** A moment as the API gives it, as people where the browser is write it. */
export function localTime(moment: string): string {
  return format.format(new Date(moment))
}
