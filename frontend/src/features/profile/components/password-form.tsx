import { usePasswordChange } from '@/features/profile/api'
import { Card } from '@/lib/ui/card'
import { Field } from '@/lib/ui/field'
import { Form } from '@/lib/ui/form'
import { NewPassword } from '@/lib/ui/new-password'
import { Notice } from '@/lib/ui/notice'
import { Stack } from '@/lib/ui/stack'

export function PasswordForm() {
  const change = usePasswordChange()
  return (
    <Card>
      <Stack>
        <h2>Password</h2>
        {change.isSuccess && (
          <Notice kind="information">
            Password changed. You are signed out on all other devices.
          </Notice>
        )}
        <Form
          submit="Change password"
          submitting="Changing…"
          mutation={change}
          onSubmit={(valueOf, reset) => {
            const passwords = {
              current_password: valueOf('current_password'),
              new_password: valueOf('new_password'),
            }
            change.mutate(passwords, { onSuccess: reset })
          }}
        >
          <Field
            label="Current password"
            name="current_password"
            type="password"
            autoComplete="current-password"
            required
          />
          <NewPassword label="New password" name="new_password" />
        </Form>
      </Stack>
    </Card>
  )
}
