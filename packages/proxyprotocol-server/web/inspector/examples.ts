// Headers from real software, and two inputs that are not headers.

export interface Example {
  readonly name: string
  readonly text: string
}

const FIXED = '0d0a0d0a000d0a515549540a'
const FROM_HAPROXY =
  `${FIXED}2111007f7f0000017f000001ebf44e3a` +
  '0300044e0e1bad02000d66726f6e742e6578616d706c650500087265712d302d6964' +
  '20004e0700000000210007544c5376312e3322000c416c69636520436c69656e74250007525341323034382' +
  '4000a5253412d534841323536230016544c535f4145535f3235365f47434d5f534841333834'

export const examples: readonly Example[] = [
  { name: 'HAProxy, TLS client', text: FROM_HAPROXY },
  { name: 'nginx, version 1', text: 'PROXY TCP4 127.0.0.1 127.0.0.1 46346 22003\n' },
  {
    name: 'HAProxy, IPv6',
    text: `${FIXED}2121002b0000000000000000000000000000000100000000000000000000000000000001e66e4e2b030004b6daf313`,
  },
  {
    name: 'dnsdist, UDP',
    text: `${FIXED}211200317f0000017f000001c75b5df3020009612e6578616d706c65e00006637573746f6d0500067569642d3432e100046d6f7265`,
  },
  {
    name: 'Cloudflare Spectrum, UDP',
    text: `56ec${'0'.repeat(20)}ffffc0000201${'0'.repeat(20)}ffffc633640714e90035`,
  },
  { name: 'HAProxy, health check', text: `${FIXED}20000000` },
  { name: 'a wrong checksum', text: FROM_HAPROXY.replace('4e0e1bad', '4e0e1bac') },
  {
    name: 'TLS without a header',
    text: '160301020001fc0303aab6a5c4e1d7c2f3a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90a1b20',
  },
]
