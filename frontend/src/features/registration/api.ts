import { useMutation } from '@tanstack/react-query'

import { api, expectSuccess } from '@/lib/api/client'

interface Registration {
  email: string
  password: string
  first_name: string
  last_name: string
}

export function useRegistration() {
  return useMutation({
    mutationFn: (body: Registration) => expectSuccess(api.POST('/api/v1/auth/register/', { body })),
  })
}

export function useVerificationRequest() {
  return useMutation({
    mutationFn: (email: string) =>
      expectSuccess(api.POST('/api/v1/auth/verification/', { body: { email } })),
  })
}

export function useVerification() {
  return useMutation({
    mutationFn: (token: string) =>
      expectSuccess(api.POST('/api/v1/auth/verification/confirm/', { body: { token } })),
  })
}
