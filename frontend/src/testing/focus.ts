import { waitFor } from '@testing-library/react'
import { expect } from 'vitest'

/** Waits until an element has the focus. It is looked up anew each time, because React may replace it meanwhile. */
export async function expectFocus(find: () => HTMLElement): Promise<void> {
  await waitFor(() => {
    expect(find()).toHaveFocus()
  })
}
