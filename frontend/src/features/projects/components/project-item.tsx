import { useState } from 'react'

import { useProjectDeletion } from '@/features/projects/api'
import styles from '@/features/projects/components/project-item.module.css'
import type { Project } from '@/lib/api/client'
import { problemMessage } from '@/lib/api/problem'
import { localTime } from '@/lib/time'
import { Button } from '@/lib/ui/button'

export function ProjectItem({ project }: { project: Project }) {
  const [isAsking, setIsAsking] = useState(false)
  const deletion = useProjectDeletion()
  const asking = isAsking ? 'Keep' : 'Delete'
  const deleting = deletion.isPending ? 'Deleting…' : 'Delete permanently'
  return (
    <li>
      <div className={styles['facts']}>
        <h2>{project.name}</h2>
        <p>Added {localTime(project.created)}</p>
        {deletion.error && (
          <p role="alert" className={styles['fault']}>
            {problemMessage(deletion.error)}
          </p>
        )}
      </div>
      <div className={styles['actions']}>
        <Button
          variant="quiet"
          aria-expanded={isAsking}
          aria-label={`${asking} ${project.name}`}
          onClick={() => {
            setIsAsking(!isAsking)
          }}
        >
          {asking}
        </Button>
        {isAsking && (
          <Button
            variant="danger"
            aria-label={`${deleting} ${project.name}`}
            disabled={deletion.isPending}
            onClick={() => {
              deletion.mutate(project.id)
            }}
          >
            {deleting}
          </Button>
        )}
      </div>
    </li>
  )
}
