import { existsSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

import type { FullResult, Reporter } from '@playwright/test/reporter'

import { backendLog, deployedSite, frontendFolder } from '../environment.ts'

const maxLines = 40

/** Prints the path of the backend log, and its end if a test or the start of the backend failed. */
export default class BackendLogReporter implements Reporter {
  onEnd({ status }: FullResult): void {
    if (deployedSite !== undefined || !existsSync(backendLog)) return
    const lines = readFileSync(backendLog, 'utf8').trimEnd().split('\n')
    if (status !== 'passed') process.stdout.write(`${lines.slice(-maxLines).join('\n')}\n`)
    process.stdout.write(`backend log: ${relative(join(frontendFolder, '..'), backendLog)}\n`)
  }

  printsToStdio(): boolean {
    return false
  }
}
