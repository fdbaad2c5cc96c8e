import { expect, type Page } from '@playwright/test'

import type { Account } from './account.ts'

/** Fills in and submits the login form on the current page. */
export async function submitLogin(page: Page, { email, password }: Account): Promise<void> {
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

export async function expectPage(page: Page, title: string): Promise<void> {
  await expect(page.getByRole('heading', { level: 1, name: title })).toBeVisible()
}

export async function signIn(page: Page, account: Account): Promise<void> {
  await page.goto('/login')
  await submitLogin(page, account)
  await expectPage(page, 'Your projects')
}

export async function addProject(page: Page, name: string): Promise<void> {
  await page.getByLabel('Project name').fill(name)
  await page.getByRole('button', { name: 'Add project' }).click()
  await expect(page.getByRole('heading', { name })).toBeVisible()
  // The form is cleared after that, so wait before filling it in again.
  await expect(page.getByLabel('Project name')).toHaveValue('')
}

export async function expectFieldError(page: Page, label: string, message: string): Promise<void> {
  const field = page.getByLabel(label)
  await expect(field).toBeFocused()
  await expect(field).toHaveAccessibleDescription(new RegExp(message))
}
