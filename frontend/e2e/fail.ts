/** Exit code for a problem of the environment, different from that of failed tests. */
const exitCode = 3

/** Prints an error and a hint, and exits. */
export function fail(sentence: string, hint: string): never {
  process.stderr.write(`error: ${sentence}\n\nhint: ${hint}\n`)
  process.exit(exitCode)
}
