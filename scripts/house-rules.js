// What this house asks of its files beyond the usual, as lint rules; each message says what to do instead.

import { noCycles, smallFolders } from './import-rules.js'
import { layers, library, programs } from './layers.js'

/** Messages by selector, grouped so that a file with a right to one thing is held to the rest. */
const bans = {
  style: {
    ':matches(Program, Program > ExportNamedDeclaration) > VariableDeclaration > VariableDeclarator > :matches(ArrowFunctionExpression, FunctionExpression).init':
      'At the top level write a function declaration, so that the file reads top-down.',
    ":matches(ExportDefaultDeclaration, ExportSpecifier[exported.name='default'])":
      'Export by name: a default export is called differently wherever it is imported.',
    TSEnumDeclaration: 'Write a union of literals, or a readonly object with `as const`.',
  },
  dynamicImports: {
    'ImportExpression:not([source.value=/^[^.]/])':
      'Import own files statically: the rules on imports cannot see a dynamic import.',
  },
  patches: {
    "MemberExpression[property.name='prototype']":
      'Leave prototypes alone, the whole process shares them. Only server/attach/ may touch what it attaches to.',
    "AssignmentExpression[left.property.name='emit']":
      'Only server/attach/attach.ts and udp/attachment.ts replace emit: listen to an event, or extend these.',
  },
  addresses: {
    'AssignmentExpression[left.property.name=/^(remote|local)(Address|Port|Family)$/]':
      "Only server/socket/addresses.ts sets a socket's addresses: call it.",
  },
  internals: {
    'Identifier[name=/^_(handle|parent|parentWrap|readableState|writableState|server|connections)$/]':
      "Only node-internals/ of the library, and relay/tunnel/handles/, use what Node does not document: call it ('proxyprotocol/internal/node').",
  },
  definitions: {
    'MemberExpression[object.name=/^(Object|Reflect)$/][property.name=/^definePropert(y|ies)$/]':
      'In server/ only socket/addresses.ts and attach/attach.ts (emit) define properties: call them.',
  },
  handlers: {
    "CallExpression[callee.object.name='process'][callee.property.name=/^(on|once|addListener|prepend(Once)?Listener)$/]":
      'The library installs no signal or process handlers: offer an option or an event, and let the program decide.',
  },
  impureTypes: {
    'TSTypeReference Identifier[name=/^(Buffer|NodeJS)$/]':
      'checks/ and codec/ are pure: they speak Uint8Array, and take no type from Node.',
  },
  tests: {
    'CallExpression[callee.object.name=/^(test|it|describe|suite|t)$/][callee.property.name=/^(only|skip|todo)$/]':
      'Every test runs, everywhere: mend it or delete it.',
    'CallExpression[callee.name=/^(test|it|describe|suite)$/] > ObjectExpression > Property[key.name=/^(only|skip|todo)$/]':
      'Every test runs, everywhere: mend it or delete it.',
    "ExpressionStatement > CallExpression[callee.object.name='t'][callee.property.name='test']":
      'Await a subtest: its parent ends without it.',
  },
}

const BY_NAME =
  "Import the other package by its name ('proxyprotocol', 'proxyprotocol/server', ...), never by a path."
const NO_PACKAGES = 'The library has no dependencies: import own files and node:* only.'
/** The folders that run in a browser as they are. */
const pure = ['checks', 'codec']
const NO_BUILTINS =
  'checks/ and codec/ are pure and import own files only: what they need comes in as a parameter.'

/** Comments that switch a rule or the coverage off. */
const switches = /(c8|v8|istanbul) ignore (?!stop)|node:coverage disable|eslint-disable/

/** @type {import('eslint').Rule.RuleModule} */
const reasonedSwitches = {
  create: context => ({
    Program() {
      for (const { value, loc } of context.sourceCode.getAllComments()) {
        if (!loc || !switches.test(value) || / -- \S/.test(value)) continue
        context.report({ loc, message: 'Say why in the same comment: `ignore next 2 -- the reason`.' })
      }
    },
  }),
}

const { style, dynamicImports, patches, addresses, internals, definitions, handlers, impureTypes, tests } =
  bans
const inSources = [style, dynamicImports]
const layerFiles = layers.map(({ src, folder }) => `${src}/${folder}/**`)

/**
 * Later entries win over earlier ones, so each names all that holds for its files.
 *
 * @type {import('eslint').Linter.Config[]}
 */
export const houseRules = [
  {
    plugins: {
      house: {
        rules: {
          'reasoned-switches': reasonedSwitches,
          'no-cycles': noCycles,
          'small-folders': smallFolders,
        },
      },
    },
  },
  { rules: { 'house/reasoned-switches': 'error' } },
  {
    files: ['packages/*/src/**'],
    rules: { 'house/no-cycles': 'error', 'house/small-folders': 'error' },
  },
  banSyntax('**/*.{js,ts}', style),
  banSyntax(`${programs}/**`, ...inSources, patches, addresses, internals),
  banSyntax(`${programs}/relay/tunnel/handles/**`, ...inSources, patches, addresses),
  banSyntax(`${library}/**`, ...inSources, patches, addresses, handlers, internals),
  banSyntax(`${library}/udp/attachment.ts`, ...inSources, addresses, handlers, internals),
  banSyntax(`${library}/node-internals/**`, ...inSources, patches, addresses, handlers),
  banSyntax(
    `${library}/{checks,codec}/**`,
    ...inSources,
    patches,
    addresses,
    handlers,
    internals,
    impureTypes,
  ),
  banSyntax(`${library}/server/**`, ...inSources, patches, addresses, handlers, internals, definitions),
  banSyntax(`${library}/server/attach/register.ts`, ...inSources, patches, addresses, definitions),
  banSyntax(`${library}/server/attach/attach.ts`, ...inSources, addresses, handlers, internals),
  banSyntax(`${library}/server/socket/addresses.ts`, ...inSources, patches, handlers, internals),
  banSyntax(['packages/*/test/**', 'packages/test-support/**'], style, tests),
  banSyntax('packages/*/src/**/{utils,helpers,common,types}.ts', {
    Program: 'A thing lives with its concept: move each into the file that is about it, or name the concept.',
  }),
  {
    ...banSyntax('packages/*/src/**', {
      Program: 'This folder is not in the layers of scripts/house-rules.js: add it with what it may import.',
    }),
    ignores: [...layerFiles, `${programs}/index.ts`],
  },
  ...layers.map(layerImports),
  banImports(`${programs}/index.ts`, {
    '^\\.\\./': BY_NAME,
    '^\\./(?![a-z-]+/index\\.ts$)': 'Enter a folder through its index.ts.',
  }),
  banImports(['packages/*/test/**', 'examples/**', 'interop/**'], {
    '^(\\.\\./)+(packages/)?proxyprotocol(-server)?/(src|dist)/': BY_NAME,
  }),
  banGlobals(
    `${library}/**`,
    ['console'],
    'The library never logs: publish on a diagnostics channel, or return what is to be said.',
  ),
  banGlobals(
    `${library}/{checks,codec}/**`,
    ['Buffer', 'process', 'console', 'require', 'setTimeout', 'setInterval', 'setImmediate'],
    'checks/ and codec/ are pure: they speak Uint8Array, and what they need comes in as a parameter.',
  ),
]

/**
 * @param {string | string[]} files
 * @param {Record<string, string>[]} messages by selector
 * @returns {import('eslint').Linter.Config}
 */
function banSyntax(files, ...messages) {
  const restrictions = messages
    .flatMap(byMessage => Object.entries(byMessage))
    .map(([selector, message]) => ({ selector, message }))
  return { files: [files].flat(), rules: { 'no-restricted-syntax': ['error', ...restrictions] } }
}

/**
 * @param {string | string[]} files
 * @param {Record<string, string>} messages by a pattern of the name imported
 * @returns {import('eslint').Linter.Config}
 */
function banImports(files, messages) {
  const patterns = Object.entries(messages).map(([regex, message]) => ({ regex, message }))
  return { files: [files].flat(), rules: { 'no-restricted-imports': ['error', { patterns }] } }
}

/** @param {typeof layers[number]} layer */
function layerImports({ src, folder, below }) {
  const [parent = '', ...inner] = folder.split('/')
  const floors = src === library && folder !== 'checks' ? [...below, 'checks'] : below
  const depth = 1 + inner.length
  const isBeside = (/** @type {string} */ name) => inner.length > 0 && name.startsWith(`${parent}/`)
  const beside = floors.filter(isBeside).map(name => name.slice(parent.length + 1))
  const names = floors.filter(name => !isBeside(name)).join('|')
  const siblings = beside.join('|')
  const out = '\\.\\./'.repeat(depth)
  const allowed = [
    'its own files',
    ...beside.map(name => `../${name}/index.ts`),
    ...floors.filter(name => !isBeside(name)).map(name => `${'../'.repeat(depth)}${name}/index.ts`),
  ].join(', ')
  const downwards = `Imports run downwards, never sideways: ${folder}/ may import ${allowed}.`
  const enter = 'Enter a folder through its index.ts.'
  const within = layers.filter(each => each.src === src && each.folder.startsWith(`${folder}/`))
  const rooms = within.map(each => each.folder.slice(folder.length + 1)).join('|')
  return banImports(`${src}/${folder}/**`, {
    [`^${out}\\.\\./`]: BY_NAME,
    [`^${out}(?!\\.\\./|(${names})/)`]: downwards,
    ...(depth > 1 && { [`^\\.\\./(?!\\.\\./|(?!index\\.ts$)[a-z0-9-]+\\.ts$|(${siblings})/)`]: downwards }),
    ...(depth > 1 && { [`^\\.\\./(${siblings})/(?!index\\.ts$)`]: enter }),
    [`^${out}(${names})/(?!index\\.ts$)`]: enter,
    [`^\\./(index\\.ts$|${rooms && `(?!(${rooms})/index\\.ts$)`}.*/)`]:
      'Within a folder import the file itself: index.ts is for those outside.',
    ...(src === library && !pure.includes(parent) && { '^(?!\\.|node:)': NO_PACKAGES }),
    ...(pure.includes(parent) && { '^(?!\\.)': NO_BUILTINS }),
  })
}

/**
 * @param {string} files
 * @param {string[]} names
 * @param {string} message
 * @returns {import('eslint').Linter.Config}
 */
function banGlobals(files, names, message) {
  const globals = names.map(name => ({ name, message }))
  return {
    files: [files],
    rules: { 'no-restricted-globals': ['error', { globals, checkGlobalObject: true }] },
  }
}
