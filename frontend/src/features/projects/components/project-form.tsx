import { useProjectCreation } from '@/features/projects/api'
import { Field } from '@/lib/ui/field'
import { Form } from '@/lib/ui/form'

export function ProjectForm() {
  const creation = useProjectCreation()
  return (
    <Form
      submit="Add project"
      submitting="Adding…"
      mutation={creation}
      onSubmit={(valueOf, reset) => {
        creation.mutate(valueOf('name'), { onSuccess: reset })
      }}
    >
      <Field label="Project name" name="name" autoComplete="off" required />
    </Form>
  )
}
