import { waitFor } from '@testing-library/react'
import { expect } from 'vitest'

/** Waits until an element has the focus. Looks it up in each attempt, because React may replace it. */
export async function expectFocus(find: () => HTMLElement): Promise<void> {
  await waitFor(() => {
    expect(find()).toHaveFocus()
  })
}
