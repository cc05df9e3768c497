// Which folder may import which: the picture in docs/architecture.md as data.

export const library = 'packages/proxyprotocol/src'
export const programs = 'packages/proxyprotocol-server/src'

/**
 * The folders of each package, and for each the folders below it, the only ones it may import from. A folder within one
 * comes after it. The outer one may enter it; it may import single files of the outer one, and what that one may. Every folder
 * of the library may import `checks`.
 */
export const layers = [
  { src: library, folder: 'checks', below: [] },
  { src: library, folder: 'codec', below: [] },
  { src: library, folder: 'codec/address', below: [] },
  { src: library, folder: 'codec/tlv', below: [] },
  { src: library, folder: 'codec/v1', below: ['codec/address', 'codec/tlv'] },
  { src: library, folder: 'codec/v2', below: ['codec/address', 'codec/tlv'] },
  { src: library, folder: 'codec/fields', below: ['codec/v2', 'codec/v1', 'codec/address', 'codec/tlv'] },
  { src: library, folder: 'node-internals', below: [] },
  { src: library, folder: 'server', below: ['codec', 'node-internals'] },
  { src: library, folder: 'server/socket', below: ['codec', 'node-internals'] },
  { src: library, folder: 'server/header', below: ['server/socket', 'codec', 'node-internals'] },
  {
    src: library,
    folder: 'server/admission',
    below: ['server/header', 'server/socket', 'codec', 'node-internals'],
  },
  { src: library, folder: 'server/tls', below: ['server/socket', 'codec', 'node-internals'] },
  {
    src: library,
    folder: 'server/lifecycle',
    below: ['server/admission', 'server/header', 'server/tls', 'server/socket', 'codec', 'node-internals'],
  },
  {
    src: library,
    folder: 'server/attach',
    below: [
      'server/lifecycle',
      'server/admission',
      'server/tls',
      'server/header',
      'server/socket',
      'codec',
      'node-internals',
    ],
  },
  { src: library, folder: 'client', below: ['codec', 'node-internals'] },
  { src: library, folder: 'client/connect', below: ['codec', 'node-internals'] },
  { src: library, folder: 'client/agents', below: ['client/connect', 'codec', 'node-internals'] },
  { src: library, folder: 'client/header-for', below: ['codec', 'node-internals'] },
  { src: library, folder: 'udp', below: ['codec'] },
  { src: library, folder: 'dnsbl', below: ['codec'] },
  { src: library, folder: 'dnsbl/dns', below: [] },
  { src: library, folder: 'vectors', below: ['codec'] },
  { src: programs, folder: 'cli', below: ['admin', 'relay', 'log', 'figures', 'config', 'explain'] },
  { src: programs, folder: 'cli/services', below: ['admin', 'relay', 'log', 'figures', 'config'] },
  {
    src: programs,
    folder: 'cli/workers',
    below: ['cli/services', 'admin', 'relay', 'log', 'figures', 'config'],
  },
  { src: programs, folder: 'cli/import', below: ['config'] },
  {
    src: programs,
    folder: 'cli/control',
    below: ['cli/services', 'admin', 'relay', 'log', 'figures', 'config'],
  },
  {
    src: programs,
    folder: 'cli/server',
    below: ['cli/import', 'cli/control', 'cli/workers', 'cli/services', 'admin', 'relay', 'log', 'config'],
  },
  { src: programs, folder: 'cli/echo', below: ['relay', 'log', 'config', 'explain'] },
  { src: programs, folder: 'cli/inspect', below: ['log', 'config', 'explain'] },
  { src: programs, folder: 'log', below: ['relay', 'figures', 'config'] },
  { src: programs, folder: 'admin', below: ['figures', 'config'] },
  { src: programs, folder: 'admin/metrics', below: ['figures'] },
  { src: programs, folder: 'relay', below: ['figures', 'config'] },
  {
    src: programs,
    folder: 'relay/stats',
    below: ['relay/tunnel', 'relay/passthrough', 'relay/upstreams', 'figures', 'config'],
  },
  {
    src: programs,
    folder: 'relay/tls',
    below: ['relay/stats', 'relay/passthrough', 'relay/upstreams', 'figures', 'config'],
  },
  { src: programs, folder: 'relay/access', below: ['config'] },
  { src: programs, folder: 'relay/tunnel', below: [] },
  { src: programs, folder: 'relay/passthrough', below: ['config'] },
  { src: programs, folder: 'relay/upstreams', below: ['figures', 'config'] },
  { src: programs, folder: 'relay/upstreams/health', below: ['figures', 'config'] },
  { src: programs, folder: 'relay/upstreams/checks', below: ['config'] },
  { src: programs, folder: 'figures', below: [] },
  { src: programs, folder: 'config', below: [] },
  { src: programs, folder: 'config/text', below: [] },
  { src: programs, folder: 'config/address', below: ['config/text'] },
  { src: programs, folder: 'config/schema', below: ['config/address', 'config/text'] },
  { src: programs, folder: 'config/schema/health', below: ['config/address', 'config/text'] },
  { src: programs, folder: 'config/schema/program', below: ['config/address', 'config/text'] },
  { src: programs, folder: 'config/schema/clients', below: ['config/address', 'config/text'] },
  {
    src: programs,
    folder: 'config/schema/tls',
    below: ['config/schema/health', 'config/address', 'config/text'],
  },
  { src: programs, folder: 'explain', below: [] },
]
