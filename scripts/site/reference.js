// What typedoc is told for the site: the pages under their own titles and in their groups, and addresses by the path of what
// they show, docs/server.html and api/proxyprotocol/server/attach.html.

import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import {
  Application,
  Converter,
  DocumentReflection,
  JSX,
  PageEvent,
  StructureRouter,
  TSConfigReader,
} from 'typedoc'
import { root } from '../files.js'
import { accessible, AccessibleTheme, addLandmarks } from './accessible.js'
import { readAsGithubDoes } from './markdown.js'

/** @typedef {import('./contents.js').Entry} Entry */

const packages = ['proxyprotocol', 'proxyprotocol-server']
const REFERENCE = 'API reference'
/** Stands for the site's top in links that are the same on each page. */
const TOP = 'site:'

/** @type {import('typedoc').TypeDocOptions} */
const settings = {
  name: 'proxyprotocol',
  tsconfig: join(root, 'tsconfig.json'),
  entryPoints: packages.flatMap(entryPointsOf),
  readme: join(root, 'README.md'),
  router: 'path',
  theme: 'accessible',
  skipErrorChecking: true, // the gate has compiled them
  disableSources: true,
  packagesRequiringDocumentation: packages,
  requiredToBeDocumented: ['Class', 'Interface', 'TypeAlias', 'Variable', 'Function', 'Method', 'Accessor'],
  validation: { notDocumented: true },
  locales: { en: { kind_plural_module: REFERENCE } },
  sortEntryPoints: false,
  navigation: { includeGroups: true },
  headings: { readme: false },
  lightHighlightTheme: 'github-light-high-contrast',
  highlightLanguages: ['ts', 'js', 'sh', 'json', 'yaml', 'ini', 'python', 'diff'],
  markdownItLoader: readAsGithubDoes,
  searchInDocuments: true,
  customCss: join(import.meta.dirname, 'site.css'),
  hideGenerator: true,
}

class PathRouter extends StructureRouter {
  /**
   * @override
   * @param {import('typedoc').Reflection} target
   */
  getIdealBaseName(target) {
    if (target instanceof DocumentReflection) return pathOf(target).replace(/(\/README)?\.md$/, '')
    return `api/${super.getIdealBaseName(target)}`
  }
}

/**
 * @param {Entry[]} entries
 * @param {Record<string, string>} links by name, as paths from the site's top
 */
export async function configure(entries, links) {
  const groups = [...new Set(entries.map(({ group }) => group)), REFERENCE]
  const app = await Application.bootstrap(
    {
      ...settings,
      projectDocuments: entries.map(({ file }) => join(root, file)),
      groupOrder: groups,
      navigationLinks: Object.fromEntries(
        Object.entries(links).map(([name, path]) => [name, `${TOP}${path}`]),
      ),
    },
    [new TSConfigReader()],
  )
  app.renderer.defineRouter('path', PathRouter)
  app.renderer.defineTheme('accessible', AccessibleTheme)
  addLandmarks(app)
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, page) => {
    const entry = entries.find(({ file }) => file === pathOf(page))
    page.name = entry?.title ?? page.name
    page.frontmatter['group'] = entry?.group ?? REFERENCE
  })
  app.renderer.hooks.on('body.begin', () => JSX.createElement(JSX.Raw, { html: openGroups(groups) }))
  app.renderer.on(PageEvent.END, page => {
    const top = relative(dirname(page.url), '.')
    const html = String(page.contents).replaceAll(`href="${TOP}`, `href="${top && `${top}/`}`)
    page.contents = accessible(html)
  })
  return app
}

/**
 * The sources of what a package exports to its users: `register` exports nothing, and `internal/node` is for the programs alone.
 *
 * @param {string} name
 */
function entryPointsOf(name) {
  const folder = join(root, 'packages', name)
  /** @type {{ exports: Record<string, string | { default: string }> }} */
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const paths = Object.entries(exports)
    .filter(([name]) => name !== './register' && !name.startsWith('./internal/'))
    .map(([, entry]) => (typeof entry === 'string' ? entry : entry.default))
  const programs = paths.filter(path => path.endsWith('.js'))
  return programs.map(path => join(folder, path.replace('./dist/', 'src/').replace(/\.js$/, '.ts')))
}

/** @param {DocumentReflection} page */
function pathOf(page) {
  return relative(root, page.project.files.getReflectionPath(page) ?? '')
}

/**
 * The menu shows what is in the groups until the reader closes one: the theme remembers it under these names.
 *
 * @param {readonly string[]} groups
 */
function openGroups(groups) {
  const keys = JSON.stringify(groups.map(group => `tsd-accordion-${group}`))
  return `<script>for (const key of ${keys}) localStorage[key] ??= true</script>`
}
