// Builds each page of packages/proxyprotocol-server/web into one file, dist/web/NAME.html, which holds its style and its
// script: it works served by a program, from a site, and from the disk. Its policy lets it run nothing else.

import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import { root } from './files.js'

const programs = join(root, 'packages', 'proxyprotocol-server')
const [web, dist] = [join(programs, 'web'), join(programs, 'dist', 'web')]

const pages = readdirSync(web, { withFileTypes: true }).filter(entry => entry.isDirectory())
mkdirSync(dist, { recursive: true })
for (const { name } of pages) writeFileSync(join(dist, `${name}.html`), page(join(web, name)))

/**
 * The page of a folder: `index.html`, in whose place for the style comes `style.css`, and for the script `main.ts`, with
 * all that it imports.
 *
 * @param {string} folder
 */
function page(folder) {
  const style = bundle(join(folder, 'style.css'))
  const script = bundle(join(folder, 'main.ts'))
  const policy = [
    "default-src 'none'",
    `script-src '${hash(script)}'`,
    `style-src '${hash(style)}'`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  return readFileSync(join(folder, 'index.html'), 'utf8')
    .replace('<!-- policy -->', () => `<meta http-equiv="content-security-policy" content="${policy}" />`)
    .replace('<!-- style -->', () => `<style>${style}</style>`)
    .replace('<!-- script -->', () => `<script type="module">${script}</script>`)
}

/** @param {string} file */
function bundle(file) {
  const { outputFiles } = buildSync({
    entryPoints: [file],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    charset: 'utf8',
    write: false,
    logLevel: 'warning',
  })
  return outputFiles.map(({ text }) => text.trim()).join('')
}

/** @param {string} text as it stands between the tags */
function hash(text) {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}
