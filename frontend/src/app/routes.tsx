import { lazy, Suspense, type ComponentType } from 'react'
import { Redirect, Route, Switch, useLocation } from 'wouter'

import { ErrorBoundary } from '@/app/error-boundary'
import { NotFoundPage } from '@/app/not-found-page'
import { RequireServer } from '@/features/auth/components/require-server'
import { RequireUser } from '@/features/auth/components/require-user'
import { paths } from '@/lib/paths'
import { Loading } from '@/lib/ui/loading'

/** Loads the code of a page on the first visit. */
function page<Name extends string>(name: Name, load: () => Promise<Record<Name, ComponentType>>) {
  return lazy(async () => ({ default: (await load())[name] }))
}

const guestPages = {
  [paths.login]: page('LoginPage', () => import('@/features/auth/pages/login-page')),
  [paths.register]: page(
    'RegisterPage',
    () => import('@/features/registration/pages/register-page'),
  ),
  [paths.verifyEmail]: page(
    'VerifyEmailPage',
    () => import('@/features/registration/pages/verify-email-page'),
  ),
  [paths.resendVerification]: page(
    'ResendVerificationPage',
    () => import('@/features/registration/pages/resend-verification-page'),
  ),
  [paths.forgotPassword]: page(
    'ForgotPasswordPage',
    () => import('@/features/password-reset/pages/forgot-password-page'),
  ),
  [paths.resetPassword]: page(
    'ResetPasswordPage',
    () => import('@/features/password-reset/pages/reset-password-page'),
  ),
}

const userPages = {
  [paths.projects]: page('ProjectsPage', () => import('@/features/projects/pages/projects-page')),
  [paths.profile]: page('ProfilePage', () => import('@/features/profile/pages/profile-page')),
  [paths.sessions]: page('SessionsPage', () => import('@/features/sessions/pages/sessions-page')),
  [paths.billing]: page('BillingPage', () => import('@/features/billing/pages/billing-page')), // billing
}

export function Routes() {
  const [location] = useLocation()
  return (
    // The key resets the error boundary when the location changes.
    <ErrorBoundary key={location}>
      <RequireServer>
        <Suspense fallback={<Loading label="Loading page…" />}>
          <Switch>
            <Route path={paths.home}>
              <Redirect to={paths.projects} replace />
            </Route>
            {Object.entries(guestPages).map(([path, Page]) => (
              <Route key={path} path={path} component={Page} />
            ))}
            {Object.entries(userPages).map(([path, Page]) => (
              <Route key={path} path={path}>
                <RequireUser>
                  <Page />
                </RequireUser>
              </Route>
            ))}
            <Route component={NotFoundPage} />
          </Switch>
        </Suspense>
      </RequireServer>
    </ErrorBoundary>
  )
}
