// The status page: one file built from web/status, with a policy that runs only its own script.

import { readFileSync } from 'node:fs'

/** As far from here in src as in dist. */
const file = new URL('../../dist/web/status.html', import.meta.url)

export interface StatusPage {
  readonly html: string
  readonly headers: Readonly<Record<string, string>>
}

/** Read at start, because later no descriptor may be free. */
export function readStatusPage(): StatusPage {
  const html = readFileSync(file, 'utf8')
  const [, meta = ''] = html.split('http-equiv="content-security-policy" content="')
  const [policy = ''] = meta.split('"')
  return {
    html,
    headers: {
      // A page's own policy cannot say which pages may frame it.
      'content-security-policy': `${policy}; frame-ancestors 'none'`,
      'referrer-policy': 'no-referrer',
    },
  }
}
