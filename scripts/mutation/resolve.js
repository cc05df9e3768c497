// A module hook: test files get the tests' collector for node:test.

const COLLECTOR = new URL('collected-tests.js', import.meta.url).href

/** @type {import('node:module').ResolveHook} */
export function resolve(specifier, context, next) {
  return specifier === 'node:test' && context.parentURL !== COLLECTOR
    ? { url: COLLECTOR, shortCircuit: true }
    : next(specifier, context)
}
