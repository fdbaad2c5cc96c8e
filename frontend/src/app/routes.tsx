import { Navigate, type RouteObject } from 'react-router'

import { ErrorPage } from '@/app/error-page'
import { Layout } from '@/app/layout'
import { NotFoundPage } from '@/app/not-found-page'
import { RequireUser } from '@/features/auth/components/require-user'
import { LoginPage } from '@/features/auth/pages/login-page'
import { ProfilePage } from '@/features/profile/pages/profile-page'
import { paths } from '@/lib/paths'

export const routes: RouteObject[] = [
  {
    element: <Layout />,
    children: [
      {
        // Without a path of its own: a page that fails leaves the layout around it standing.
        errorElement: <ErrorPage />,
        children: [
          { path: paths.home, element: <Navigate to={paths.profile} replace /> },
          { path: paths.login, element: <LoginPage /> },
          {
            path: paths.profile,
            element: <RequireUser>{(user) => <ProfilePage user={user} />}</RequireUser>,
          },
          { path: '*', element: <NotFoundPage /> },
        ],
      },
    ],
  },
]
