// HTTP: the status of one request.

import type { ActiveCheck } from '../../../config/index.ts'
import { mismatch, quote } from './check-fault.ts'
import type { Talk } from './talk.ts'

export async function checkHttp(
  talk: Talk,
  { method, path, host, status }: Pick<ActiveCheck, 'method' | 'path' | 'host' | 'status'>,
): Promise<void> {
  const head = [`${method} ${path} HTTP/1.1`, `Host: ${host}`, 'User-Agent: proxyprotocol-server']
  talk.send(`${head.join('\r\n')}\r\nConnection: close\r\n\r\n`)
  const { first, last } = status
  const what =
    first === last ? `status ${String(first)}` : `a status from ${String(first)} to ${String(last)}`
  const line = await talk.line(what)
  const [, code] = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(line) ?? []
  if (code === undefined) throw mismatch(what, quote(line))
  if (Number(code) < first || Number(code) > last) throw mismatch(what, code)
  await talk.ended() // servers log a client that leaves before the body as aborted
}
