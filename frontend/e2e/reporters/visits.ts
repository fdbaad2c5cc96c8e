import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

import type {
  FullConfig,
  FullResult,
  Reporter,
  Suite,
  TestCase,
  TestResult,
} from '@playwright/test/reporter'

import { paths } from '../../src/lib/paths.ts'
import { frontendFolder } from '../environment.ts'

interface Schema {
  paths: Record<string, Record<string, object>>
}

/** Returns all API operations, such as `GET /api/v1/projects/`, and all pages, such as `PAGE /login`. */
function allTargets(): string[] {
  const schema = JSON.parse(readFileSync(join(frontendFolder, 'openapi.json'), 'utf8')) as Schema
  const operations = Object.entries(schema.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  return [...operations, ...Object.values(paths).map((path) => `PAGE ${path}`)]
}

/** Whether this is a run of all tests of the full project, not of selected ones. */
function isFullRun({ grep, shard }: FullConfig, suite: Suite): boolean {
  const full = suite.suites.find((project) => project.title === 'full')
  const run = new Set(full?.suites.map(({ title }) => basename(title)))
  const specs = readdirSync(import.meta.dirname + '/..').filter((name) => name.endsWith('.spec.ts'))
  const others = specs.filter((name) => name !== 'smoke.spec.ts' && !run.has(name))
  return full !== undefined && others.length === 0 && shard === null && String(grep) === '/.*/'
}

/** Fails a full run that does not visit every page and API operation. */
export default class VisitsReporter implements Reporter {
  private readonly visits = new Set<string>()
  private isFullRun = false

  onBegin(config: FullConfig, suite: Suite): void {
    this.isFullRun = isFullRun(config, suite)
  }

  onTestEnd(_: TestCase, { attachments }: TestResult): void {
    for (const { name, body } of attachments) {
      if (name !== 'visits' || body === undefined) continue
      for (const visit of JSON.parse(body.toString()) as string[]) {
        this.visits.add(visit.replace(/\/\d+\//, '/{}/'))
      }
    }
  }

  onEnd({ status }: FullResult): Promise<Pick<FullResult, 'status'>> {
    const isVisited = (what: string) => this.visits.has(what.replace(/\{\w+\}/, '{}'))
    const missing = allTargets().filter((what) => !isVisited(what))
    if (!this.isFullRun || status !== 'passed' || missing.length === 0)
      return Promise.resolve({ status })
    process.stderr.write(`error: no test visits ${missing.join(', ')}\n`)
    return Promise.resolve({ status: 'failed' })
  }

  printsToStdio(): boolean {
    return false
  }
}
