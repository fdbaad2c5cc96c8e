import { render } from '@testing-library/react'

import { App } from '@/app/app'
import { createVisitor } from '@/testing/visitor'

/** The whole application as the browser shows it at this address. */
export function renderApp(address: string) {
  window.history.replaceState(null, '', address)
  render(<App />)
  const currentAddress = () => {
    const { pathname, search, hash } = window.location
    return pathname + search + hash
  }
  return { currentAddress, visitor: createVisitor() }
}
