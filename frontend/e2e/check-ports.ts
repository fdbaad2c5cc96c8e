// Checks that the ports are free before Playwright starts its servers.

import { createServer } from 'node:net'

import { deployedSite, ports } from './environment.ts'
import { fail } from './fail.ts'

function isFree(port: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => {
      resolve(false)
    })
    server.listen(Number(port), '127.0.0.1', () =>
      server.close(() => {
        resolve(true)
      }),
    )
  })
}

async function checkPorts(): Promise<void> {
  for (const [variable, port] of Object.entries(ports)) {
    if (await isFree(port)) continue
    fail(
      `port ${port} (${variable}) is in use`,
      `stop the program on this port, or set ${variable} to a free port`,
    )
  }
}

// Tests of a deployed site start no servers.
if (deployedSite === undefined) await checkPorts()
