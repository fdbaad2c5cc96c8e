import { QueryClientProvider } from '@tanstack/react-query'
import { useState } from 'react'

import { Layout } from '@/app/layout'
import { Routes } from '@/app/routes'
import { createQueryClient } from '@/lib/query-client'

export function App() {
  const [queryClient] = useState(createQueryClient)
  return (
    <QueryClientProvider client={queryClient}>
      <Layout>
        <Routes />
      </Layout>
    </QueryClientProvider>
  )
}
