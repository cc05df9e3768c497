// What typedoc's theme leaves to be desired for readers with a keyboard or a screen reader, put right in the pages that it makes:
// one main landmark, names for the others, headings without a gap, nothing to click inside of what is clicked, and tables that
// a keyboard can scroll.

import { DefaultTheme, JSX } from 'typedoc'

/** @typedef {import('typedoc').NavigationElement} NavigationElement */

/** @param {import('typedoc').Application} app */
export function addLandmarks({ renderer }) {
  renderer.hooks.on('content.begin', () => raw('<main>'))
  renderer.hooks.on('content.end', () => raw('</main>'))
}

/** A name in the menu either opens a list or leads to a page: the page of one that opens a list is the first of its list. */
export class AccessibleTheme extends DefaultTheme {
  /**
   * @override
   * @param {import('typedoc').Models.ProjectReflection} project
   */
  buildNavigation(project) {
    return super.buildNavigation(project).map(withOverview)
  }
}

/**
 * A page with what its theme lacks.
 *
 * @param {string} html
 */
export function accessible(html) {
  return withLevels(html)
    .replace('<nav id="tsd-sidebar-links"', '<nav id="tsd-sidebar-links" aria-label="Tools"')
    .replaceAll('<nav class="tsd-navigation"', '<nav class="tsd-navigation" aria-label="All pages"')
    .replace('<div class="page-menu">', '<div class="page-menu" role="complementary" aria-label="This page">')
    .replaceAll(/<summary[^]*?<\/summary>/g, withoutLinks)
    .replaceAll('<table>', '<div class="site-table" role="group" aria-label="Table" tabindex="0"><table>')
    .replaceAll('</table>', '</table></div>')
}

/**
 * @param {NavigationElement} element
 * @returns {NavigationElement}
 */
function withOverview({ path, children, ...rest }) {
  if (children === undefined) return path === undefined ? rest : { ...rest, path }
  const overview = path === undefined ? [] : [{ text: 'Overview', path }]
  return { ...rest, children: [...overview, ...children.map(withOverview)] }
}

/**
 * The theme chooses headings by their size; the level says where they stand.
 *
 * @param {string} html
 */
function withLevels(html) {
  let before = 0
  return html.replaceAll(/<h([1-6])\b/g, (tag, size) => {
    const level = Math.min(Number(size), before + 1)
    before = level
    return level === Number(size) ? tag : `${tag} aria-level="${level}"`
  })
}

/** @param {string} summary */
function withoutLinks(summary) {
  return summary.replaceAll(/<a\b[^]*?<\/a>/g, '')
}

/** @param {string} html */
function raw(html) {
  return JSX.createElement(JSX.Raw, { html })
}
