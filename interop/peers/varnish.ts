// Varnish: it takes both versions in front of HTTP, and sends both to its backends.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { provide, type Debian } from '../debian.ts'
import type { Case, Peer } from '../peer.ts'
import { receiving } from '../receiving.ts'
import { sending } from '../sending.ts'
import { startServer } from '../servers.ts'
import type { Harness } from '../harness.ts'

const program: Debian = {
  program: 'varnishd',
  packages: ['varnish'],
  version: ['-V'],
}

/** It answers connections with headers itself, and passes the others on by the name of their listener. */
const VCL = `vcl 4.1;
import std;
BACKENDS
sub vcl_recv {
  if (local.socket == "receives") { return (synth(200)); }
  if (local.socket == "v1") { set req.backend_hint = v1; } else { set req.backend_hint = v2; }
  return (pass);
}
sub vcl_synth {
  synthetic(client.ip + " " + std.port(client.ip) + " " + server.ip + " " + std.port(server.ip));
  return (deliver);
}
`

export const varnish: Peer = {
  name: 'varnish',
  programs: [program],
  async cases(harness) {
    const [receives, v1, v2] = [await harness.port(), await harness.port(), await harness.port()]
    const cases = [
      ...receiving(
        {
          name: 'PROXY listener, http',
          port: receives,
          speak: 'http',
          check: (answer, { source, destination }) => {
            assert.equal(answer, `${String(source)} ${String(destination)}`)
          },
        },
        harness,
      ),
    ]
    const backends: string[] = []
    for (const [version, port] of [
      [1, v1],
      [2, v2],
    ] as const) {
      const { backend, case: sends } = await sender(harness, version, port)
      backends.push(backend)
      cases.push(sends)
    }
    await start(harness, { receives, v1, v2 }, VCL.replace('BACKENDS', backends.join('\n')))
    return cases
  },
}

async function sender(
  harness: Harness,
  version: 1 | 2,
  port: number,
): Promise<{ readonly backend: string; readonly case: Case }> {
  const { place } = await startServer(harness, 'http')
  const { host, port: to } = place as { host: string; port: number } // it listens at one
  const way = { port, localAddress: '127.0.0.9' }
  return {
    backend: `backend v${version} { .host = "${host}"; .port = "${to}"; .proxy_header = ${version}; }`,
    case: sending({
      name: `.proxy_header = ${version}`,
      kind: 'http',
      way,
      expected: { version, family: 'INET' },
    }),
  }
}

async function start(
  harness: Harness,
  { receives, v1, v2 }: { receives: number; v1: number; v2: number },
  vcl: string,
): Promise<void> {
  const varnishd = provide(program)
  const file = harness.file('interop.vcl', vcl)
  const modules = varnishd.environment['LD_LIBRARY_PATH']
    ?.split(':')
    .map(folder => join(folder, 'varnish/vmods'))
  const listeners = [`receives=127.0.0.1:${receives},PROXY`, `v1=127.0.0.1:${v1}`, `v2=127.0.0.1:${v2}`]
  const args = [
    ...['-F', '-j', 'none', '-n', join(harness.folder, 'varnish'), '-s', 'malloc,16m', '-f', file],
    ...listeners.flatMap(listener => ['-a', listener]),
    ...(modules ? ['-p', `vmod_path=${modules.join(':')}`] : []),
  ]
  await harness.start(varnishd, args, [receives, v1, v2])
}
