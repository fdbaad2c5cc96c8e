/** The environment is not fit for the tests, which says nothing about the product: not the exit code of a red test. */
const exitCode = 3

/** Ends the process with one sentence and what to do about it. */
export function fail(sentence: string, hint: string): never {
  process.stderr.write(`error: ${sentence}\n\nhint: ${hint}\n`)
  process.exit(exitCode)
}
