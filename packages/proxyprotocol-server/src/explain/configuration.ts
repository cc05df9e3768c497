// Configuration lines that fit a header, for its senders and receivers.

import { readTlvs, tlvType, type ProxyHeader } from 'proxyprotocol'

export interface Sent {
  readonly version: 1 | 2 | undefined
  readonly tls?: boolean
  readonly options?: readonly string[]
  readonly local?: boolean
}

export interface ConfigurationLine {
  readonly program: string
  readonly text: string
  readonly note?: string
}

export function senders(sent: Sent, to: string): readonly ConfigurationLine[] {
  return [haproxy(sent, to), nginx(sent, to), networkLoadBalancer(sent), relay(sent, to)]
}

export function sentBy({ version, command, tlvs }: ProxyHeader): Sent {
  if (version === 1) return { version }
  const { ssl } = readTlvs({ tlvs })
  const has = (type: number, inside = tlvs): boolean => inside.some(each => each.type === type)
  const options = [
    ssl && 'ssl',
    ssl?.cn !== undefined && 'cert-cn',
    ssl?.cipher !== undefined && 'ssl-cipher',
    ssl?.sigAlg !== undefined && 'cert-sig',
    ssl?.keyAlg !== undefined && 'cert-key',
    has(tlvType.authority) && 'authority',
    has(tlvType.checksum) && 'crc32c',
    has(tlvType.uniqueId) && 'unique-id',
  ].filter(option => typeof option === 'string')
  return { version, options, local: command === 'LOCAL' }
}

export function receivers(header: ProxyHeader): readonly ConfigurationLine[] {
  const { version, tlvs } = header
  const checked = readTlvs({ tlvs }).checksum !== undefined
  const [validate, imported] = checked ? [', validate: requireChecksum', ', requireChecksum'] : ['', '']
  const options = `{ trust: ['10.0.0.7'], version: 'v${version}'${validate} }`
  return [
    {
      program: 'attach',
      text: `import { attach${imported} } from 'proxyprotocol/server'\n\nattach(server, ${options}).listen(8443)`,
      note: 'server is any of Node’s: net, tls, http, https, http2',
    },
    {
      program: 'createServer',
      text: `import { createServer${imported} } from 'proxyprotocol/server'\n\nconst server = createServer(${options}, ({ socket, info }) => {\n  socket.end(\`you are \${JSON.stringify(info.source)}\\n\`)\n})\nawait server.listen(8443)`,
    },
    {
      program: 'proxyprotocol-server',
      text: `proxyprotocol-server --trust 10.0.0.7 --service ':8443?pp=v${version}' 127.0.0.1:8080`,
    },
    { program: 'HAProxy', text: 'bind :8443 accept-proxy', note: 'in a frontend; takes both versions' },
    {
      program: 'nginx',
      text: 'listen 8443 proxy_protocol;\nset_real_ip_from 10.0.0.7;\nreal_ip_header proxy_protocol;',
      note: 'in a server of http; takes both versions',
    },
  ]
}

function haproxy({ version, tls, options = [], local }: Sent, to: string): ConfigurationLine {
  const server = `server app1 ${to}`
  const secure = tls ? ' ssl verify required ca-file ca.pem' : ''
  if (version === undefined) {
    return { program: 'HAProxy', text: server + secure, note: 'without send-proxy and send-proxy-v2' }
  }
  const chosen = options.length > 0 ? ` proxy-v2-options ${options.join(',')}` : ''
  const keyword = version === 1 ? ' send-proxy' : ` send-proxy-v2${chosen}`
  const note = options.includes('unique-id')
    ? { note: 'unique-id needs a unique-id-format in the frontend' }
    : local
      ? { note: 'LOCAL is what its health checks send: check' }
      : {}
  return { program: 'HAProxy', text: server + (local ? ' check' : '') + keyword + secure, ...note }
}

function nginx({ version, tls }: Sent, to: string): ConfigurationLine {
  const secure = tls ? '\nproxy_ssl on;' : ''
  const note = 'in a server of stream'
  if (version === 2) return { program: 'nginx', text: '', note: 'sends version 1 only' }
  return {
    program: 'nginx',
    text: `proxy_pass ${to};\nproxy_protocol ${version === 1 ? 'on' : 'off'};${secure}`,
    note,
  }
}

function networkLoadBalancer({ version }: Sent): ConfigurationLine {
  if (version === 1) return { program: 'AWS NLB', text: '', note: 'sends version 2 only' }
  const enabled = version === 2 ? 'true' : 'false'
  return {
    program: 'AWS NLB',
    text: `aws elbv2 modify-target-group-attributes --target-group-arn "$TARGET_GROUP" --attributes Key=proxy_protocol_v2.enabled,Value=${enabled}`,
    ...(version === 2 && {
      note: 'and preserve_client_ip.enabled=false',
    }),
  }
}

function relay({ version, tls }: Sent, to: string): ConfigurationLine {
  const key = version === undefined ? '?pp=noop' : version === 1 ? '?pp=v1' : ''
  return {
    program: 'proxyprotocol-server',
    text: `proxyprotocol-server --service :10000 '${tls ? 'ssl://' : ''}${to}${key}'`,
  }
}
