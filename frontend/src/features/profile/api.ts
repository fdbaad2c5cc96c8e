import { useMutation, useQueryClient } from '@tanstack/react-query'

import { api, expectData, expectSuccess, type User } from '@/lib/api/client'
import { startSession } from '@/lib/session'

type Changes = Pick<User, 'first_name' | 'last_name' | 'phone'>

export function useProfileUpdate() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: Changes) => expectData(api.PATCH('/api/v1/auth/me/', { body })),
    onSuccess: (user) => {
      startSession(client, user)
    },
  })
}

interface Passwords {
  current_password: string
  new_password: string
}

export function usePasswordChange() {
  return useMutation({
    mutationFn: (body: Passwords) => expectSuccess(api.POST('/api/v1/auth/me/password/', { body })),
  })
}
