import '@testing-library/jest-dom/vitest'
// eslint-disable-next-line testing-library/no-manual-cleanup -- it cleans up by itself only where vitest has globals
import { cleanup, configure } from '@testing-library/react'
import { afterEach } from 'vitest'

// What is awaited may take as long as a busy machine needs; on an idle one it is there at once.
configure({ asyncUtilTimeout: 15_000 })

afterEach(cleanup)
