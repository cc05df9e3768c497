// Against DNS rebinding: a page can make its own name stand for this machine, but not an IP address.

import { isIP } from 'node:net'

export function hostCheck(names: readonly string[]): (host: string | undefined) => boolean {
  const known = new Set(['localhost', ...names.map(plain)])
  return host => {
    if (host === undefined) return true // HTTP/1.0; browsers always send it
    const name = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(host)
    const [, inBrackets, bare = ''] = name ?? []
    return inBrackets === undefined ? isIP(bare) === 4 || known.has(plain(bare)) : isIP(inBrackets) === 6
  }
}

function plain(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}
