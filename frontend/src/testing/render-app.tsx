import { render } from '@testing-library/react'

import { App } from '@/app/app'
import { setupUser } from '@/testing/user'

/** Renders the whole application at a URL. */
export function renderApp(address: string) {
  window.history.replaceState(null, '', address)
  render(<App />)
  const currentAddress = () => {
    const { pathname, search, hash } = window.location
    return pathname + search + hash
  }
  return { currentAddress, user: setupUser() }
}
