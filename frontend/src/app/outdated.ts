const key = 'reloaded-when-outdated'
const patienceMilliseconds = 60_000

/** A page that was open during a deployment asks for code that is there no more: the newest page knows what is. */
export function reloadWhenOutdated(): void {
  window.addEventListener('vite:preloadError', (event) => {
    const before = Number(sessionStorage.getItem(key) ?? 0)
    // Once: if that did not help, the error page is shown.
    if (Date.now() - before < patienceMilliseconds) return
    sessionStorage.setItem(key, String(Date.now()))
    event.preventDefault()
    window.location.reload()
  })
}
