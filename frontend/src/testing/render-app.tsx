import { render } from '@testing-library/react'
import { userEvent } from '@testing-library/user-event'
import { createMemoryRouter, RouterProvider } from 'react-router'

import { Providers } from '@/app/providers'
import { routes } from '@/app/routes'

/** The whole application as the browser shows it at this address. */
export function renderApp(address: string) {
  const router = createMemoryRouter(routes, { initialEntries: [address] })
  render(
    <Providers>
      <RouterProvider router={router} />
    </Providers>,
  )
  const currentAddress = () => {
    const { pathname, search, hash } = router.state.location
    return pathname + search + hash
  }
  return { currentAddress, visitor: userEvent.setup() }
}
