export const passwordHint = 'At least 8 characters, and nothing that is easy to guess.'
