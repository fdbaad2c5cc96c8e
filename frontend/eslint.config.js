import { readdirSync } from 'node:fs'

import js from '@eslint/js'
import { defineConfig, globalIgnores } from 'eslint/config'
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript'
import checkFile from 'eslint-plugin-check-file'
import { importX } from 'eslint-plugin-import-x'
import jsxA11y from 'eslint-plugin-jsx-a11y'
import playwright from 'eslint-plugin-playwright'
import reactHooks from 'eslint-plugin-react-hooks'
import testingLibrary from 'eslint-plugin-testing-library'
import tseslint from 'typescript-eslint'

// Import direction: app → features → lib. Features do not import each other.
const features = readdirSync('src/features')
const zones = [
  { target: './src/lib', from: ['./src/app', './src/features'] },
  { target: './src/features', from: './src/app' },
  ...features.map((feature) => ({
    target: `./src/features/${feature}`,
    from: './src/features',
    except: [`./${feature}`],
  })),
]

// The compiler or the test runner silently ignores files with these names. The value is the name to use instead.
const ignoredNames = {
  'src/**/*.spec.*': '*.test.ts or *.test.tsx',
  'src/**/__tests__/**': '*.test.ts or *.test.tsx',
  '{*,!(e2e|src)/**/*}.{spec,test}.*': 'src/**/*.test.ts or e2e/**/*.spec.ts',
  'src/**/*.{cjs,cts,js,mjs,mts}': '*.ts',
  'e2e/**/*.{cjs,cts,js,mjs,mts}': '*.ts',
  '**/*.jsx': '*.tsx',
}

const testFiles = ['src/**/*.test.{ts,tsx}', 'src/testing/**']

// Tests that do not wait for the result of an action depend on the speed of the machine. No plugin checks this.
const actions = ['expression', 'declarations.0.init'].flatMap((value) => [
  `[${value}.argument.callee.name=/^(?!(expect|expectFocus|waitFor)$)/]`,
  `[${value}.argument.callee.object.name="user"]`,
  `[${value}.callee.name="renderApp"]`,
])
const query = 'CallExpression:matches([callee.name="expect"], [callee.object.name="screen"])'
const unawaited = [
  {
    selector: `:matches(${actions.join(', ')}) + :statement:not(:has(AwaitExpression)):has(${query})`,
    message: 'Await the result of the action first, by findBy… or waitFor.',
  },
  {
    selector: 'CallExpression[callee.property.name="toHaveFocus"]:not([callee.name="waitFor"] *)',
    message: 'React may move the focus later: await expectFocus(() => …), from @/testing/focus.',
  },
  {
    selector: 'CallExpression[callee.property.name="click"] Literal[value="button"]',
    message: 'The button may not be enabled yet: await user.press(name), from @/testing/user.',
  },
  {
    selector: '[callee.name="waitFor"] CallExpression[callee.object.name="user"]',
    message: 'waitFor would repeat this action: move it before waitFor.',
  },
  {
    selector: 'MemberExpression[object.name="vi"][property.name=/^wait(For|Until)$/]',
    message: 'Its timeout is one second: await waitFor(…), from @testing-library/react.',
  },
  {
    selector: 'Property[key.name="timeout"]',
    message: 'Use the common timeout in src/testing/setup.ts.',
  },
]
const sleep = { name: 'setTimeout', message: 'Wait for a condition, not for a fixed time.' }

export default defineConfig(
  globalIgnores([
    'coverage/',
    'dist/',
    'playwright-report/',
    'src/lib/api/schema.d.ts',
    'test-results/',
  ]),
  js.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
  },
  {
    files: ['**/*.{cjs,cts,js,jsx,mjs,mts,ts,tsx}'],
    plugins: { 'check-file': checkFile, 'import-x': importX },
    settings: {
      ...importX.flatConfigs.typescript.settings,
      'import-x/resolver-next': [createTypeScriptImportResolver({ project: 'tsconfig.json' })],
    },
    rules: {
      'check-file/filename-naming-convention': [
        'error',
        { '**/*': 'KEBAB_CASE' },
        { ignoreMiddleExtensions: true },
      ],
      'check-file/filename-blocklist': ['error', ignoredNames],
      'import-x/no-cycle': 'error',
      'import-x/no-default-export': 'error',
      'import-x/no-duplicates': 'error',
      'import-x/order': [
        'error',
        {
          alphabetize: { order: 'asc', caseInsensitive: true },
          'newlines-between': 'always',
          groups: [['builtin'], ['external'], ['internal', 'parent', 'sibling']],
        },
      ],
      'max-lines': ['error', 200],
    },
  },
  {
    files: ['src/**/*.{ts,tsx}'],
    extends: [reactHooks.configs.flat['recommended-latest'], jsxA11y.flatConfigs.strict],
    rules: { 'import-x/no-restricted-paths': ['error', { zones }] },
  },
  {
    files: ['src/**/*.{ts,tsx}'],
    ignores: testFiles,
    rules: { 'max-lines-per-function': ['error', { max: 50, skipBlankLines: true }] },
  },
  {
    files: testFiles,
    extends: [testingLibrary.configs['flat/react']],
    rules: {
      'no-restricted-globals': ['error', sleep],
      'no-restricted-syntax': ['error', ...unawaited],
    },
  },
  {
    files: ['e2e/**/*.ts'],
    extends: [playwright.configs['flat/recommended']],
    rules: {
      'no-restricted-globals': ['error', sleep],
      'playwright/expect-expect': [
        'error',
        { assertFunctionPatterns: ['^(addProject|expect|open)'] },
      ],
      'playwright/no-action-timeout': 'error',
      'playwright/no-magic-timeouts': 'error',
    },
  },
  // These tools require a default export.
  {
    files: ['*.config.{js,ts}', 'e2e/reporters/*.ts'],
    rules: { 'import-x/no-default-export': 'off' },
  },
)
