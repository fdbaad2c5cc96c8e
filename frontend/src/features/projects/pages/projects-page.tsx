import { useProjects } from '@/features/projects/api'
import { ProjectForm } from '@/features/projects/components/project-form'
import { ProjectItem } from '@/features/projects/components/project-item'
import { Card } from '@/lib/ui/card'
import { Page } from '@/lib/ui/page'
import { PagedList } from '@/lib/ui/paged-list'
import { Stack } from '@/lib/ui/stack'

export function ProjectsPage() {
  const projects = useProjects()
  return (
    <Page title="Your projects" lead="Only you can see your projects." width="wide">
      <Stack>
        <Card>
          <ProjectForm />
        </Card>
        <Card>
          <PagedList label="Projects" query={projects} empty="No projects yet. Add your first one.">
            {(project) => <ProjectItem key={project.id} project={project} />}
          </PagedList>
        </Card>
      </Stack>
    </Page>
  )
}
