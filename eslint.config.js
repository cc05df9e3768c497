// The strictest presets, what they get wrong for this house, and the rules of the house itself.

import js from '@eslint/js'
import { defineConfig, globalIgnores } from 'eslint/config'
import tseslint from 'typescript-eslint'
import { houseRules } from './scripts/house-rules.js'

const nodeTest = { from: 'package', package: 'node:test', name: ['test', 'it', 'describe', 'suite'] }

export default defineConfig(
  globalIgnores(['**/dist/', 'coverage/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['examples/mqtt.js'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
  },
  {
    rules: {
      eqeqeq: 'error',
      'func-style': ['error', 'declaration', { allowArrowFunctions: true }],
      'max-depth': ['error', 3],
      'max-lines': ['error', 250],
      'max-lines-per-function': ['error', { max: 40, skipBlankLines: true, skipComments: true }],
      'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx'], location: 'anywhere' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/max-params': ['error', { max: 3 }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',

      // tsc knows the globals better, those of Node among them.
      'no-undef': 'off',
      // A test registered with node:test is awaited by its runner.
      '@typescript-eslint/no-floating-promises': ['error', { allowForKnownSafeCalls: [nodeTest] }],
      // It would turn a reasoned `as` into the `!` that the house does without.
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      // isolatedDeclarations wants the type of what is exported written down.
      '@typescript-eslint/no-inferrable-types': 'off',
      // `() => socket.destroy()` and `return reject(error)` are short and say what they do.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      // Text on the wire is ASCII, control characters included.
      'no-control-regex': 'off',
      '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
      // Messages name the value they got, and that is often a number.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // Read loops end from within.
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
    },
  },
  {
    // A JSDoc cast is invisible to these; tsc checks the same code with it.
    files: ['**/*.js'],
    rules: { '@typescript-eslint/no-unsafe-assignment': 'off', '@typescript-eslint/no-unsafe-return': 'off' },
  },
  {
    // A test file is a list of cases; a stub often does nothing, and a stranger's handler may throw anything.
    files: ['packages/*/test/**', 'packages/test-support/**'],
    rules: {
      'max-depth': 'off',
      'max-lines': 'off',
      'max-lines-per-function': 'off',
      '@typescript-eslint/max-params': 'off',
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-misused-spread': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    // Its packages are installed by `npm run interop` alone, so their types may be missing here.
    files: ['interop/npm/**', 'examples/mqtt.js'],
    extends: [tseslint.configs.disableTypeChecked],
    rules: { '@typescript-eslint/no-require-imports': 'off' }, // one of them is CommonJS
  },
  houseRules,
  {
    // Its default export is what eslint reads.
    files: ['eslint.config.js'],
    rules: { 'no-restricted-syntax': 'off' },
  },
)
