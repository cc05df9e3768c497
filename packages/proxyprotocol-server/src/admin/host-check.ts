// Checks the `Host` of a request against DNS rebinding: a page can make its own name stand for this machine, but not an
// IP address. So IP addresses and known names pass.

import { isIP } from 'node:net'

/** A check of `Host` headers: localhost, IP addresses, and these names. */
export function hostCheck(names: readonly string[]): (host: string | undefined) => boolean {
  const known = new Set(['localhost', ...names.map(plain)])
  return host => {
    if (host === undefined) return true // HTTP/1.0; a browser always says
    const name = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(host)
    const [, inBrackets, bare = ''] = name ?? []
    return inBrackets === undefined ? isIP(bare) === 4 || known.has(plain(bare)) : isIP(inBrackets) === 6
  }
}

function plain(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}
