import { appendFileSync } from 'node:fs'

import type { Reporter, Suite, TestCase } from '@playwright/test/reporter'

function lineOf(test: TestCase): string {
  const attempts = test.results.length
  return `- ${test.titlePath().filter(Boolean).join(' › ')} (attempt ${String(attempts)} passed)`
}

/** Lists tests that passed only after a retry. playwright.config.ts decides whether they fail the run. */
export default class FlakyReporter implements Reporter {
  private suite: Suite | undefined

  onBegin(_: unknown, suite: Suite): void {
    this.suite = suite
  }

  onEnd(): void {
    const flaky = this.suite?.allTests().filter((test) => test.outcome() === 'flaky') ?? []
    if (flaky.length === 0) return
    const summary = ['Flaky tests:', '', ...flaky.map(lineOf), ''].join('\n')
    process.stdout.write(summary)
    const file = process.env['GITHUB_STEP_SUMMARY']
    if (file) appendFileSync(file, summary)
  }

  printsToStdio(): boolean {
    return false
  }
}
