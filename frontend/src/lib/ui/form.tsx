import { useLayoutEffect, useRef, type ReactNode, type SubmitEvent } from 'react'

import { fieldFaults, problemMessage, type Messages } from '@/lib/api/problem'
import { useSession } from '@/lib/session'
import { Button } from '@/lib/ui/button'
import { FieldFaults } from '@/lib/ui/field'
import { Notice } from '@/lib/ui/notice'
import { Stack } from '@/lib/ui/stack'

interface FormProps {
  submit: string
  submitting: string
  mutation: { error: Error | null; isPending: boolean }
  /** Words of this form for some answers of the server. */
  messages?: Messages
  onSubmit: (valueOf: (name: string) => string, reset: () => void) => void
  children: ReactNode
}

/** Says what is wrong, at the fields where the server told which, and leads the focus there. */
export function Form({ submit, submitting, mutation, messages, onSubmit, children }: FormProps) {
  const { error, isPending } = mutation
  const form = useRef<HTMLFormElement>(null)
  // Without the CSRF cookie, which the first answer brings, the server refuses every form.
  const isReady = useSession().status !== 'loading'

  // Before the fault is painted: the focus is not taken from a user who goes on at once.
  useLayoutEffect(() => {
    if (error === null) return
    const fault = form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')
    const notice = form.current?.querySelector<HTMLElement>('[role="alert"]')
    ;(fault ?? notice)?.focus()
  }, [error])

  function handle(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault()
    const { currentTarget: element } = event
    const data = new FormData(element)
    // Only a file's value is not a string.
    onSubmit(
      (name) => data.get(name) as string,
      () => {
        element.reset()
        element.querySelector('input')?.focus()
      },
    )
  }

  return (
    <form ref={form} onSubmit={handle}>
      <Stack>
        {error !== null && <Notice kind="error">{problemMessage(error, messages)}</Notice>}
        <FieldFaults value={fieldFaults(error)}>{children}</FieldFaults>
        <Button type="submit" disabled={!isReady || isPending}>
          {isPending ? submitting : submit}
        </Button>
      </Stack>
    </form>
  )
}
