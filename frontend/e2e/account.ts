import { randomBytes, randomInt } from 'node:crypto'

import { expect, type APIRequest, type APIRequestContext } from '@playwright/test'

import { origin } from './environment.ts'
import { linkInMail } from './mail.ts'

export interface Account {
  email: string
  password: string
}

/** A random client address for each test, because rate limits count per address. */
export function clientHeaders(): Record<string, string> {
  const address = ['10', ...Array.from({ length: 3 }, () => String(randomInt(256)))].join('.')
  return { 'X-Forwarded-For': address }
}

/** Returns an account that is not registered yet. */
export function newAccount(): Account {
  const email = `someone-${randomBytes(6).toString('hex')}@example.com`
  return { email, password: 'correct-horse-battery-staple' }
}

/** An API client for the setup of tests. */
export class Client {
  private readonly request: APIRequestContext

  private constructor(request: APIRequestContext) {
    this.request = request
  }

  static async open(api: APIRequest): Promise<Client> {
    const request = await api.newContext({ baseURL: origin, extraHTTPHeaders: clientHeaders() })
    await request.get('/api/v1/auth/me/')
    return new Client(request)
  }

  async post(path: string, data: object): Promise<void> {
    const { cookies } = await this.request.storageState()
    const token = cookies.find(({ name }) => name === 'csrftoken')?.value ?? ''
    const answer = await this.request.post(path, { data, headers: { 'X-CSRFToken': token } })
    expect(answer.ok(), `${path}: ${await answer.text()}`).toBe(true)
  }

  async register(account: Account): Promise<void> {
    const names = { first_name: 'Some', last_name: 'One' }
    await this.post('/api/v1/auth/register/', { ...account, ...names })
    const link = await linkInMail(account.email, '/verify-email')
    const token = link.split('#token=')[1]
    await this.post('/api/v1/auth/verification/confirm/', { token })
  }

  async login(account: Account): Promise<void> {
    await this.post('/api/v1/auth/login/', account)
  }

  storageState() {
    return this.request.storageState()
  }

  dispose() {
    return this.request.dispose()
  }
}
