import { readFile } from 'node:fs/promises'
import { plainHex } from '../explain/index.ts'

const page = new URL('../../dist/web/inspector.html', import.meta.url)

/** The bytes stand behind `#`, which browsers do not send. */
export function inspectorPage(bytes: Uint8Array = new Uint8Array()): string {
  return bytes.length > 0 ? `${page.href}#${plainHex(bytes)}` : page.href
}

export function readPage(): Promise<string> {
  return readFile(page, 'utf8')
}
