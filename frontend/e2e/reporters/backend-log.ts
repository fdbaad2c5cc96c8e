import { existsSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

import type { FullResult, Reporter } from '@playwright/test/reporter'

import { backendLog, deployedSite, frontendFolder } from '../environment.ts'

const shown = 40

/** Says where the log of the backend is, and shows its end when a test failed or the backend did not start. */
export default class BackendLogReporter implements Reporter {
  onEnd({ status }: FullResult): void {
    if (deployedSite !== undefined || !existsSync(backendLog)) return
    const lines = readFileSync(backendLog, 'utf8').trimEnd().split('\n')
    if (status !== 'passed') process.stdout.write(`${lines.slice(-shown).join('\n')}\n`)
    process.stdout.write(`backend log: ${relative(join(frontendFolder, '..'), backendLog)}\n`)
  }

  printsToStdio(): boolean {
    return false
  }
}
