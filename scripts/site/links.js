// Looks at every link of a built site: what it leads to is there, anchor included, and nothing that a page needs comes from
// elsewhere.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** An attribute with an address. */
const reference = /<(\w+)[^>]*?\s(?:href|src)="([^"]*)"/g

/**
 * What is wrong, a line each that names page and link.
 *
 * @param {string} site the folder
 * @returns {{ links: number, faults: string[] }}
 */
export function deadLinks(site) {
  const files = readdirSync(site, { recursive: true, encoding: 'utf8' }).filter(file =>
    file.endsWith('.html'),
  )
  const pages = new Map(files.map(file => [join(site, file), readPage(join(site, file))]))
  let links = 0
  const faults = [...pages].flatMap(([page, { references }]) => {
    links += references.length
    return references
      .map(({ tag, target }) => ({ target, why: fault(tag, target) ?? missing(page, target) }))
      .filter(({ why }) => why !== undefined)
      .map(({ target, why }) => `${relative(site, page)}: ${target}: ${String(why)}`)
  })
  return { links, faults: [...new Set(faults)] }

  /**
   * @param {string} page
   * @param {string} target
   */
  function missing(page, target) {
    if (/^[a-z]+:/.test(target)) return undefined
    const [path = '', anchor = ''] = target.split(/\?[^#]*|#/).map(decodeURIComponent)
    const named = path === '' ? page : join(dirname(page), path)
    const file = existsSync(named) && statSync(named).isDirectory() ? join(named, 'index.html') : named
    if (!existsSync(file)) return 'there is no such file'
    if (anchor === '' || !pages.has(file)) return undefined
    return pages.get(file)?.anchors.has(anchor) ? undefined : 'there is no such anchor'
  }
}

/**
 * Scripts make links of their own.
 *
 * @param {string} file
 */
function readPage(file) {
  const text = readFileSync(file, 'utf8').replace(/(<(script|style)\b[^>]*>).*?(?=<\/\2>)/gs, '$1')
  const anchors = new Set([...text.matchAll(/\s(?:id|name)="([^"]*)"/g)].map(([, id = '']) => unescaped(id)))
  const references = [...text.matchAll(reference)].map(([, tag = '', target = '']) => ({
    tag,
    target: unescaped(target),
  }))
  return { anchors, references }
}

/** @param {string} text */
function unescaped(text) {
  return text
    .replaceAll('&#39;', "'")
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&amp;', '&')
}

/**
 * @param {string} tag
 * @param {string} target
 */
function fault(tag, target) {
  if (tag !== 'a' && /^([a-z]+:)?\/\//.test(target)) return 'it comes from elsewhere'
  if (/^(?!https:).*\.md$/.test(target)) return 'README.md, section More, does not list that page'
  if (target.startsWith('file:') || target.startsWith('/')) return 'it works on one machine only'
  return undefined
}
