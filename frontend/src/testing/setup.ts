import '@testing-library/jest-dom/vitest'
import { cleanup, configure } from '@testing-library/react'
import { afterEach } from 'vitest'

// A page's code is fetched when somebody goes there, which takes its time on a busy machine.
configure({ asyncUtilTimeout: 10_000 })

afterEach(cleanup)
