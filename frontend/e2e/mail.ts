import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect } from '@playwright/test'

import { mailFolder, origin } from './environment.ts'

const endOfMail = '-'.repeat(79)

/** Returns the complete mails to an address. */
function mailsTo(address: string): string[] {
  if (!existsSync(mailFolder)) return []
  return readdirSync(mailFolder)
    .map((name) => readFileSync(join(mailFolder, name), 'utf8'))
    .flatMap((file) => file.split(endOfMail).slice(0, -1))
    .filter((mail) => mail.includes(`To: ${address}\n`))
}

/** Waits for `count` links to a page in the mails to an address, and returns them. */
export async function linksInMails(address: string, path: string, count = 1): Promise<string[]> {
  const pattern = new RegExp(`${origin}(${path}\\S*)`)
  let links: string[] = []
  await expect
    .poll(() => {
      links = mailsTo(address).flatMap((mail) => pattern.exec(mail)?.[1] ?? [])
      return links.length
    }, `links to ${path} in the mails to ${address}`)
    .toBe(count)
  return links
}

export async function linkInMail(address: string, path: string): Promise<string> {
  const [link = ''] = await linksInMails(address, path)
  return link
}
