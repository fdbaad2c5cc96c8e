import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'

import { App } from '@/app/app'
import '@/app/global.css'
import { reloadWhenOutdated } from '@/app/outdated'
import { reportUncaughtErrors } from '@/lib/error-reports'

const root = document.querySelector('#root')
if (root === null) throw new Error('index.html has no element with the id "root".')

reloadWhenOutdated()
reportUncaughtErrors()
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
