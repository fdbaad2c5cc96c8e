import { useLogout } from '@/features/auth/api'
import styles from '@/features/auth/components/logout-button.module.css'
import { Button } from '@/lib/ui/button'

export function LogoutButton() {
  const logout = useLogout()
  return (
    <div className={styles['logout']}>
      {logout.isError && <span role="alert">Could not sign you out. Try again.</span>}
      <Button
        variant="quiet"
        disabled={logout.isPending}
        onClick={() => {
          logout.mutate()
        }}
      >
        {logout.isPending ? 'Signing out…' : 'Sign out'}
      </Button>
    </div>
  )
}
