import { useMutation, useQueryClient } from '@tanstack/react-query'

import { api, expectData, expectSuccess } from '@/lib/api/client'
import { statusOf } from '@/lib/api/problem'
import { endSession, startSession } from '@/lib/session'

interface Credentials {
  email: string
  password: string
}

export function useLogin() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: Credentials) => expectData(api.POST('/api/v1/auth/login/', { body })),
    onSuccess: (user) => {
      startSession(client, user)
    },
  })
}

async function logout(): Promise<void> {
  try {
    await expectSuccess(api.POST('/api/v1/auth/logout/'))
  } catch (error) {
    // 401: the user is signed out already.
    if (statusOf(error) !== 401) throw error
  }
}

export function useLogout() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: logout,
    onSuccess: () => {
      endSession(client)
    },
  })
}
