export const paths = {
  home: '/',
  login: '/login',
  register: '/register',
  verifyEmail: '/verify-email',
  resendVerification: '/resend-verification',
  forgotPassword: '/forgot-password',
  resetPassword: '/reset-password',
  projects: '/projects',
  profile: '/profile',
  sessions: '/sessions',
  billing: '/billing', // billing
} as const

const nextParameter = 'next'

export function loginPath(wanted: string): string {
  return `${paths.login}?${new URLSearchParams({ [nextParameter]: wanted }).toString()}`
}

/** Returns the path to open after login. `next` comes from the URL and is not trusted: it must stay on this site. */
export function nextPath(search: string): string {
  const wanted = new URLSearchParams(search).get(nextParameter) ?? paths.home
  const { origin } = window.location
  if (!URL.canParse(wanted, origin)) return paths.home
  const url = new URL(wanted, origin)
  if (url.origin !== origin) return paths.home
  // A path that starts with two slashes would be the URL of another host.
  return url.pathname.replace(/^\/+/, '/') + url.search + url.hash
}

/** Returns the token of a link in a mail. It is in the fragment, which browsers do not send. */
export function tokenFromMail(): string {
  return new URLSearchParams(window.location.hash.slice(1)).get('token') ?? ''
}
