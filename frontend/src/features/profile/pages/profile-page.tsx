import { PasswordForm } from '@/features/profile/components/password-form'
import { ProfileCard } from '@/features/profile/components/profile-card'
import { ProfileForm } from '@/features/profile/components/profile-form'
import { useUser } from '@/lib/session'
import { Page } from '@/lib/ui/page'
import { Stack } from '@/lib/ui/stack'

export function ProfilePage() {
  const user = useUser()
  return (
    <Page title="Your profile" lead="Your personal details and password." width="wide">
      <Stack>
        <ProfileCard user={user} />
        <ProfileForm user={user} />
        <PasswordForm />
      </Stack>
    </Page>
  )
}
