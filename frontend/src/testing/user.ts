import { screen, waitFor } from '@testing-library/react'
import { userEvent } from '@testing-library/user-event'
import { expect } from 'vitest'

/** A simulated user. `press` clicks a button as soon as it is enabled. */
export function setupUser() {
  const user = userEvent.setup()

  async function press(name: string): Promise<void> {
    const button = () => screen.getByRole('button', { name })
    await waitFor(() => {
      expect(button()).toBeEnabled()
    })
    await user.click(button())
  }

  return Object.assign(user, { press })
}

export type User = ReturnType<typeof setupUser>
