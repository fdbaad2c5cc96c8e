import '@testing-library/jest-dom/vitest'
// eslint-disable-next-line testing-library/no-manual-cleanup -- automatic cleanup needs the globals of vitest
import { cleanup, configure } from '@testing-library/react'
import { afterEach } from 'vitest'

// Long enough for a busy machine; it does not slow down successful tests.
configure({ asyncUtilTimeout: 15_000 })

afterEach(cleanup)
