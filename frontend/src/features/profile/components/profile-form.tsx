import { useProfileUpdate } from '@/features/profile/api'
import type { User } from '@/lib/api/client'
import { Card } from '@/lib/ui/card'
import { Field } from '@/lib/ui/field'
import { Form } from '@/lib/ui/form'
import { Notice } from '@/lib/ui/notice'
import { Stack } from '@/lib/ui/stack'

export function ProfileForm({ user }: { user: User }) {
  const update = useProfileUpdate()
  return (
    <Card>
      <Stack>
        <h2>Personal details</h2>
        {update.isSuccess && <Notice kind="information">Changes saved.</Notice>}
        <Form
          submit="Save changes"
          submitting="Saving…"
          mutation={update}
          onSubmit={(valueOf) => {
            update.mutate({
              first_name: valueOf('first_name'),
              last_name: valueOf('last_name'),
              phone: valueOf('phone').trim() || null,
            })
          }}
        >
          <Field
            label="First name"
            name="first_name"
            autoComplete="given-name"
            defaultValue={user.first_name}
          />
          <Field
            label="Last name"
            name="last_name"
            autoComplete="family-name"
            defaultValue={user.last_name}
          />
          <Field
            label="Phone"
            name="phone"
            type="tel"
            autoComplete="tel"
            hint="Optional. Encrypted at rest."
            defaultValue={user.phone ?? ''}
          />
        </Form>
      </Stack>
    </Card>
  )
}
