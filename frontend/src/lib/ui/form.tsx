import { useLayoutEffect, useRef, type ReactNode, type SubmitEvent } from 'react'

import { fieldErrors, problemMessage, type Messages } from '@/lib/api/problem'
import { useSession } from '@/lib/session'
import { Button } from '@/lib/ui/button'
import { FieldErrors } from '@/lib/ui/field'
import { Notice } from '@/lib/ui/notice'
import { Stack } from '@/lib/ui/stack'

interface FormProps {
  submit: string
  submitting: string
  mutation: { error: Error | null; isPending: boolean }
  /** Error messages of this form, by status. */
  messages?: Messages
  onSubmit: (valueOf: (name: string) => string, reset: () => void) => void
  children: ReactNode
}

/** A form that shows errors of the server at their fields, and moves the focus to the first. */
export function Form({ submit, submitting, mutation, messages, onSubmit, children }: FormProps) {
  const { error, isPending } = mutation
  const form = useRef<HTMLFormElement>(null)
  // The first response sets the CSRF cookie. Without it, the server rejects every form.
  const isReady = useSession().status !== 'loading'

  // A layout effect, so that the focus does not move after the user has started to type.
  useLayoutEffect(() => {
    if (error === null) return
    const field = form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')
    const notice = form.current?.querySelector<HTMLElement>('[role="alert"]')
    ;(field ?? notice)?.focus()
  }, [error])

  function handle(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault()
    const { currentTarget: element } = event
    const data = new FormData(element)
    // Only values of file inputs are not strings.
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
        <FieldErrors value={fieldErrors(error)}>{children}</FieldErrors>
        <Button type="submit" disabled={!isReady || isPending}>
          {isPending ? submitting : submit}
        </Button>
      </Stack>
    </form>
  )
}
