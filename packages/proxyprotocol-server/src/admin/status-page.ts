// The status page, one file that the build makes of web/status: it holds its style and its script, and a policy that lets it
// run nothing else.

import { readFileSync } from 'node:fs'

/** As far from here in src as in dist. */
const file = new URL('../../dist/web/status.html', import.meta.url)

/** The page, and the headers that it is sent with. */
export interface StatusPage {
  readonly html: string
  readonly headers: Readonly<Record<string, string>>
}

/** To be read at start: when somebody wants to look, there may be no descriptor for it. */
export function readStatusPage(): StatusPage {
  const html = readFileSync(file, 'utf8')
  const [, meta = ''] = html.split('http-equiv="content-security-policy" content="')
  const [policy = ''] = meta.split('"')
  return {
    html,
    headers: {
      // In the page itself a policy cannot say who may put it into a frame.
      'content-security-policy': `${policy}; frame-ancestors 'none'`,
      'referrer-policy': 'no-referrer',
    },
  }
}
