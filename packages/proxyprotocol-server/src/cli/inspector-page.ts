// The inspector as a page: one file that needs nothing else, built from web/inspector.

import { readFile } from 'node:fs/promises'
import { plainHex } from '../explain/index.ts'

const page = new URL('../../dist/web/inspector.html', import.meta.url)

/** Where a browser on this machine finds it; bytes are in the part of an address that no browser sends. */
export function inspectorPage(bytes: Uint8Array = new Uint8Array()): string {
  return bytes.length > 0 ? `${page.href}#${plainHex(bytes)}` : page.href
}

/** @throws the system's error where it was not built. */
export function readPage(): Promise<string> {
  return readFile(page, 'utf8')
}
