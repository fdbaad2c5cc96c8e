import { expect, type Page } from '@playwright/test'

import { user } from './environment.ts'

/** Fills in the login form that is already on the screen, and submits it as soon as it may be. */
export async function submitLogin(page: Page, password = user.password): Promise<void> {
  await page.getByLabel('Email').fill(user.email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

export async function expectLoginPage(page: Page): Promise<void> {
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
}

export async function expectProfilePage(page: Page): Promise<void> {
  await expect(page.getByRole('heading', { name: 'Your profile' })).toBeVisible()
  await expect(page.getByRole('definition').filter({ hasText: user.email })).toBeVisible()
}

export async function login(page: Page): Promise<void> {
  await page.goto('/login')
  await submitLogin(page)
  await expectProfilePage(page)
}
