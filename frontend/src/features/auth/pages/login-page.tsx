import { Link, Redirect, useSearch } from 'wouter'

import { LoginForm } from '@/features/auth/components/login-form'
import { paths, nextPath } from '@/lib/paths'
import { useSession } from '@/lib/session'
import { Card } from '@/lib/ui/card'
import { Links } from '@/lib/ui/links'
import { Notice } from '@/lib/ui/notice'
import { Page } from '@/lib/ui/page'
import { Stack } from '@/lib/ui/stack'

export function LoginPage() {
  const session = useSession()
  const search = useSearch()

  if (session.status === 'user') return <Redirect to={nextPath(search)} replace />
  return (
    <Page title="Sign in" lead="Welcome back.">
      <Card>
        <Stack>
          {session.status === 'guest' && session.expired && (
            <Notice kind="information">Your session has expired. Sign in again.</Notice>
          )}
          <LoginForm />
        </Stack>
      </Card>
      <Links>
        <Link to={paths.register}>Create an account</Link>
        <Link to={paths.forgotPassword}>Forgot your password?</Link>
        <Link to={paths.resendVerification}>Resend confirmation email</Link>
      </Links>
    </Page>
  )
}
