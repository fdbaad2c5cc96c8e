const key = 'reloaded-when-outdated'
const minimumIntervalMilliseconds = 60_000

/** Reloads the page when a chunk is missing: after a deployment, open pages ask for chunks of the old build. */
export function reloadWhenOutdated(): void {
  window.addEventListener('vite:preloadError', (event) => {
    const before = Number(sessionStorage.getItem(key) ?? 0)
    // Reload once only. If that does not help, the error boundary shows its page.
    if (Date.now() - before < minimumIntervalMilliseconds) return
    sessionStorage.setItem(key, String(Date.now()))
    event.preventDefault()
    window.location.reload()
  })
}
