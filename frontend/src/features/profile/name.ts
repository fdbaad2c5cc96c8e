import type { User } from '@/lib/api/client'

export function fullName(user: User): string | undefined {
  return [user.first_name, user.last_name].filter(Boolean).join(' ') || undefined
}

export function initials(user: User): string {
  const letters = [user.first_name, user.last_name]
    .map((name) => Array.from(name)[0] ?? '')
    .join('')
  return (letters || user.email.slice(0, 1)).toUpperCase()
}
