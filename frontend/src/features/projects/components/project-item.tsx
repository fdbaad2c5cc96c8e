import { useState } from 'react'

import { useProjectDeletion } from '@/features/projects/api'
import styles from '@/features/projects/components/project-item.module.css'
import type { Project } from '@/lib/api/client'
import { problemMessage } from '@/lib/api/problem'
import { localTime } from '@/lib/time'
import { Button } from '@/lib/ui/button'

export function ProjectItem({ project }: { project: Project }) {
  const [isConfirming, setIsConfirming] = useState(false)
  const deletion = useProjectDeletion()
  const toggle = isConfirming ? 'Keep' : 'Delete'
  const confirm = deletion.isPending ? 'Deleting…' : 'Delete permanently'
  return (
    <li>
      <div className={styles['details']}>
        <h2>{project.name}</h2>
        <p>Added {localTime(project.created)}</p>
        {deletion.error && (
          <p role="alert" className={styles['error']}>
            {problemMessage(deletion.error)}
          </p>
        )}
      </div>
      <div className={styles['actions']}>
        <Button
          variant="quiet"
          aria-expanded={isConfirming}
          aria-label={`${toggle} ${project.name}`}
          onClick={() => {
            setIsConfirming(!isConfirming)
          }}
        >
          {toggle}
        </Button>
        {isConfirming && (
          <Button
            variant="danger"
            aria-label={`${confirm} ${project.name}`}
            disabled={deletion.isPending}
            onClick={() => {
              deletion.mutate(project.id)
            }}
          >
            {confirm}
          </Button>
        )}
      </div>
    </li>
  )
}
