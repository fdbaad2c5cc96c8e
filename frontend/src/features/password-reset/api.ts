import { useMutation, useQueryClient } from '@tanstack/react-query'

import { api, expectSuccess } from '@/lib/api/client'
import { endSession } from '@/lib/session'

export function usePasswordResetRequest() {
  return useMutation({
    mutationFn: (email: string) =>
      expectSuccess(api.POST('/api/v1/auth/password-reset/', { body: { email } })),
  })
}

interface PasswordReset {
  token: string
  password: string
}

export function usePasswordReset() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: PasswordReset) =>
      expectSuccess(api.POST('/api/v1/auth/password-reset/confirm/', { body })),
    // The server has ended all sessions of the user.
    onSuccess: () => {
      endSession(client)
    },
  })
}
